//! How sure we are of a person: factors, and the levels (`acr`) that they add up to.

/// One way of showing who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Factor {
    Password,
    Totp,
}

impl Factor {
    /// As in `AuthServer.spec.acr[].requires`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "password" => Some(Self::Password),
            "totp" => Some(Self::Totp),
            _ => None,
        }
    }
}

/// The factors that a person has just used; a password is always the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Factors {
    Password,
    PasswordAndTotp,
}

impl Factors {
    pub(crate) fn include(self, factor: Factor) -> bool {
        match factor {
            Factor::Password => true,
            Factor::Totp => self == Self::PasswordAndTotp,
        }
    }

    /// Authentication method references (RFC 8176).
    pub(crate) fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::PasswordAndTotp => &["pwd", "otp", "mfa"],
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::PasswordAndTotp => "pwd otp",
        }
    }

    /// Reads what [`Factors::as_str`] wrote.
    pub(crate) fn stored(text: &str) -> Option<Self> {
        [Self::Password, Self::PasswordAndTotp].into_iter().find(|f| f.as_str() == text)
    }
}

/// One level: its `acr` value, and what it takes.
#[derive(Clone, Debug)]
pub(crate) struct AcrLevel {
    pub(crate) value: String,
    pub(crate) requires: Vec<Factor>,
}

impl AcrLevel {
    fn is_met_by(&self, factors: Factors) -> bool {
        self.requires.iter().all(|f| factors.include(*f))
    }
}

/// The levels of this server, weakest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct AcrPolicy(Vec<AcrLevel>);

impl AcrPolicy {
    pub(crate) fn new(weakest_first: Vec<AcrLevel>) -> Self {
        Self(weakest_first)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|l| l.value.as_str())
    }

    /// The strongest level that `factors` reach.
    pub(crate) fn reached(&self, factors: Factors) -> Option<&str> {
        self.0.iter().rev().find(|l| l.is_met_by(factors)).map(|l| l.value.as_str())
    }

    /// Whether at least one of `wanted` is a level of this server.
    pub(crate) fn knows_any(&self, wanted: &[String]) -> bool {
        self.0.iter().any(|l| wanted.contains(&l.value))
    }

    /// Whether `factors` reach one of the levels in `wanted`; no wish is always met.
    pub(crate) fn satisfies(&self, factors: Factors, wanted: &[String]) -> bool {
        wanted.is_empty() || self.0.iter().any(|l| wanted.contains(&l.value) && l.is_met_by(factors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> AcrPolicy {
        AcrPolicy::new(vec![
            AcrLevel { value: "low".into(), requires: vec![Factor::Password] },
            AcrLevel { value: "high".into(), requires: vec![Factor::Password, Factor::Totp] },
        ])
    }

    #[test]
    fn the_strongest_level_that_is_met_is_reached() {
        assert_eq!(policy().reached(Factors::Password), Some("low"));
        assert_eq!(policy().reached(Factors::PasswordAndTotp), Some("high"));
        assert_eq!(AcrPolicy::default().reached(Factors::PasswordAndTotp), None);
    }

    #[test]
    fn one_of_the_wanted_levels_is_enough() {
        let wanted = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        assert!(policy().satisfies(Factors::Password, &[]));
        assert!(policy().satisfies(Factors::Password, &wanted(&["high", "low"])));
        assert!(!policy().satisfies(Factors::Password, &wanted(&["high"])));
        assert!(!policy().satisfies(Factors::PasswordAndTotp, &wanted(&["unheard-of"])));
        assert!(policy().satisfies(Factors::PasswordAndTotp, &wanted(&["low"])));
    }
}
