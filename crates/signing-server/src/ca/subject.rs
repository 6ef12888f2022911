//! A certificate's subject from typed parts.
//!
//! No string is ever parsed as a distinguished name: each value becomes the value of exactly one
//! attribute, whatever characters it has. The claim `Mallory,O=Bank` makes the common name
//! "Mallory,O=Bank", not an organization.

use der::asn1::{Ia5String, SetOfVec};
use sealwright_service::text::{TextFault, check_characters, check_text};
use serde_json::Value;
use x509_cert::{
    attr::AttributeTypeAndValue,
    ext::pkix::name::GeneralName,
    name::{Name, RdnSequence, RelativeDistinguishedName},
};

use super::attribute::AttributeKind;
use crate::authorizer::{ContextName, SigningContext};

/// The longest e-mail address (RFC 5321 §4.5.3.1.3, less the angle brackets).
const MAX_MAILBOX: usize = 254;

/// What a value is joined from.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(String),
    Context(ContextName),
}

/// One attribute of the template.
#[derive(Clone, Debug)]
pub(crate) struct AttributeTemplate {
    pub(crate) kind: AttributeKind,
    pub(crate) parts: Vec<Part>,
    pub(crate) required: bool,
    pub(crate) max: usize,
}

/// An e-mail address among the alternative names.
#[derive(Clone, Debug)]
pub(crate) struct AltNameTemplate {
    pub(crate) from: ContextName,
    pub(crate) required: bool,
}

/// How an authority fills the subject of what it issues.
#[derive(Clone, Debug)]
pub(crate) struct SubjectTemplate {
    pub(crate) attributes: Vec<AttributeTemplate>,
    pub(crate) alt_names: Vec<AltNameTemplate>,
}

/// A subject that is ready to be certified.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: Name,
    pub(crate) alt_names: Vec<GeneralName>,
}

/// Why no subject could be made. Names the attribute, never the value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubjectError {
    #[error("a value for `{0}` is missing")]
    Missing(&'static str),
    #[error("the value for `{0}` is not a text")]
    NotText(&'static str),
    #[error("the value for `{attribute}` {fault}")]
    Text { attribute: &'static str, fault: TextFault },
    #[error("the value for `{0}` is not an e-mail address")]
    Mailbox(&'static str),
    #[error("no attribute is left")]
    Empty,
    #[error("the subject cannot be encoded")]
    Der(#[from] der::Error),
}

impl SubjectTemplate {
    /// Fills the template from the claims that were let through.
    pub(crate) fn fill(&self, context: &SigningContext) -> Result<Subject, SubjectError> {
        let mut rdns = Vec::with_capacity(self.attributes.len());
        for attribute in &self.attributes {
            if let Some(value) = attribute.value(context)? {
                let atv = AttributeTypeAndValue {
                    oid: attribute.kind.oid(),
                    value: attribute.kind.encode(&value)?,
                };
                rdns.push(RelativeDistinguishedName(SetOfVec::try_from(vec![atv])?));
            }
        }
        if rdns.is_empty() {
            return Err(SubjectError::Empty);
        }
        let mut alt_names = Vec::with_capacity(self.alt_names.len());
        for template in &self.alt_names {
            alt_names.extend(template.value(context)?);
        }
        Ok(Subject { name: RdnSequence(rdns), alt_names })
    }

    /// Each name of the context that the template uses, with its place in the resource.
    pub(crate) fn context_names(&self) -> impl Iterator<Item = (String, &ContextName)> {
        let attributes = self.attributes.iter().enumerate().flat_map(|(index, attribute)| {
            let single = attribute.parts.len() == 1;
            attribute.parts.iter().enumerate().filter_map(move |(part_index, part)| match part {
                Part::Context(name) if single => Some((format!("spec.subject[{index}].from"), name)),
                Part::Context(name) => Some((format!("spec.subject[{index}].from[{part_index}]"), name)),
                Part::Text(_) => None,
            })
        });
        let alt_names = self.alt_names.iter().enumerate();
        attributes.chain(alt_names.map(|(index, alt)| (format!("spec.san[{index}].from"), &alt.from)))
    }
}

impl AttributeTemplate {
    /// The attribute's value; `None` if a value of the context is missing and need not be there.
    fn value(&self, context: &SigningContext) -> Result<Option<String>, SubjectError> {
        let attribute = self.kind.label();
        let mut value = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => value.push_str(text),
                Part::Context(name) => match context.value(name) {
                    Some(Value::String(text)) => {
                        // Each claim is checked by itself, too: a blank at its end is not at the end of the whole.
                        check_text(text, self.max)
                            .map_err(|fault| SubjectError::Text { attribute, fault })?;
                        value.push_str(text);
                    }
                    Some(_) => return Err(SubjectError::NotText(attribute)),
                    None if self.required => return Err(SubjectError::Missing(attribute)),
                    None => return Ok(None),
                },
            }
        }
        self.check(&value).map_err(|fault| SubjectError::Text { attribute, fault })?;
        Ok(Some(value))
    }

    fn check(&self, value: &str) -> Result<(), TextFault> {
        check_text(value, self.max)?;
        let is_country = value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase());
        if self.kind == AttributeKind::Country && !is_country {
            return Err(TextFault::NotAllowed);
        }
        Ok(())
    }

    /// Checks what can be known before any request: the fixed texts.
    pub(crate) fn check_fixed(&self) -> Result<(), TextFault> {
        match &self.parts[..] {
            [Part::Text(value)] => self.check(value),
            parts => parts.iter().try_for_each(|part| match part {
                Part::Text(text) => check_characters(text),
                Part::Context(_) => Ok(()),
            }),
        }
    }
}

impl AltNameTemplate {
    fn value(&self, context: &SigningContext) -> Result<Option<GeneralName>, SubjectError> {
        const LABEL: &str = "rfc822Name";
        match context.value(&self.from) {
            Some(Value::String(text)) if is_mailbox(text) => {
                Ok(Some(GeneralName::Rfc822Name(Ia5String::new(text)?)))
            }
            Some(Value::String(_)) => Err(SubjectError::Mailbox(LABEL)),
            Some(_) => Err(SubjectError::NotText(LABEL)),
            None if self.required => Err(SubjectError::Missing(LABEL)),
            None => Ok(None),
        }
    }
}

/// The plain form of an address, `local@domain` in ASCII. Quoted local parts and address literals are
/// legal mail and no certificate needs them.
fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let dot_atom = |part: &str| part.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= MAX_MAILBOX && dot_atom(local) && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common_name(claim: Value) -> Result<Subject, SubjectError> {
        let name = ContextName::parse("name").unwrap();
        let template = SubjectTemplate {
            attributes: vec![AttributeTemplate {
                kind: AttributeKind::CommonName,
                parts: vec![Part::Context(name.clone())],
                required: true,
                max: 64,
            }],
            alt_names: vec![],
        };
        template.fill(&SigningContext::of([(name, claim)]))
    }

    #[test]
    fn a_value_stays_one_attribute() {
        for text in ["Mallory,O=Bank", "Mallory+O=Bank", "#0c05", "a;b<c>\"d\"\\", "CN=x"] {
            let subject = common_name(text.into()).unwrap();
            assert_eq!(subject.name.0.len(), 1);
            assert_eq!(subject.name.0[0].0.len(), 1);
            let atv = subject.name.0[0].0.get(0).unwrap();
            assert_eq!(atv.value.value(), text.as_bytes());
        }
    }

    #[test]
    fn what_is_not_a_text_is_refused() {
        for value in
            [serde_json::json!(42), true.into(), Value::Null, serde_json::json!(["a"]), serde_json::json!({})]
        {
            assert!(matches!(common_name(value), Err(SubjectError::NotText("CN"))));
        }
    }

    #[test]
    fn mailboxes() {
        for good in ["alice@example.com", "a.b+c@mail.example.com", "alice@localhost"] {
            assert!(is_mailbox(good), "{good}");
        }
        for bad in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "a b@example.com",
            "a@b@c",
            "alice@example..com",
            "älice@example.com",
            "alice@example.com\n",
            "a@-x.com",
            "\"a\"@example.com",
            ".a@example.com",
        ] {
            assert!(!is_mailbox(bad), "{bad:?}");
        }
    }
}
