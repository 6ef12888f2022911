//! Every algorithm in every form: the peer verifies what we signed, and we verify what the peer signed; a token with one
//! bit turned is refused.

use std::collections::HashMap;

use crate::{
    Result,
    axis::{Name, SECOND, names},
    cannot::{Outcome, Refusal, Table},
    flip,
    form::Form,
    ours::{self, OurKey},
    peer::{Answer, KeyFile, Peer, Signer},
    random::Random,
    report::{Cell, Direction, Report},
};

/// Our keys, by the name of their algorithm.
pub(crate) type OurKeys = HashMap<&'static str, OurKey>;

/// The peer's own keys, one for each family of algorithms.
#[derive(Default)]
pub(crate) struct TheirKeys(HashMap<&'static str, Answer<TheirKey>>);

/// Both halves as JWK, in the peer's own words.
#[derive(Clone)]
pub(crate) struct TheirKey {
    pub(crate) private: KeyFile,
    pub(crate) public: KeyFile,
}

impl TheirKeys {
    /// The peer's key for `name`; `maker` makes it, where the peer itself makes no keys.
    pub(crate) fn key(&mut self, maker: &mut Peer<'_>, name: Name) -> Result<Answer<TheirKey>> {
        if let Some(known) = self.0.get(name.family()) {
            return Ok(known.clone());
        }
        let made = match maker.generate(name.header)? {
            Ok(jwk) => {
                let private = KeyFile::jwk(jwk);
                let public = maker.export(name.header, &private, "jwk", false, None)?;
                public.map(|public| TheirKey { private, public })
            }
            Err(words) => Err(words),
        };
        self.0.insert(name.family(), made.clone());
        Ok(made)
    }
}

/// Walks all cells of one peer.
pub(crate) fn walk(
    peer: &mut Peer<'_>,
    maker: &'static str,
    ours: &OurKeys,
    theirs: &mut TheirKeys,
    table: &Table,
    random: &mut Random,
    report: &mut Report,
) -> Result<()> {
    for name in names() {
        for form in Form::ALL {
            let (what, alg) = (form.name(), name.header);
            let cell = Cell { peer: peer.name, direction: Direction::TheyVerify, what, alg };
            let outcome = they_verify(peer, ours, name, form, random)?;
            table.judge(report, &cell, outcome);

            let cell = Cell { direction: Direction::WeVerify, ..cell };
            let outcome = we_verify(peer, maker, theirs, name, form, random)?;
            table.judge(report, &cell, outcome);
        }
    }
    Ok(())
}

fn they_verify(
    peer: &mut Peer<'_>,
    ours: &OurKeys,
    name: Name,
    form: Form,
    random: &mut Random,
) -> Result<Outcome> {
    let mut keys = vec![&ours[name.header]];
    if form.is_general() {
        keys.push(&ours["second"]);
    }
    let payload = form.payload(random);
    let signing: Vec<_> = keys.iter().map(|key| (key.name, &key.key, key.kid.as_str())).collect();
    let token = match ours::sign(form, &signing, &payload) {
        Ok(token) => token,
        Err(words) => return Ok(Err(Refusal::Ours(words))),
    };
    let signers: Vec<_> =
        keys.iter().map(|key| Signer { alg: key.name.header, kid: &key.kid, key: &key.public }).collect();
    let good = peer.verify(form, &signers, &token, &payload)?;
    let (turned, which) = flip::one_bit(&token, random)?;
    let bad = peer.verify(form, &signers, &turned, &payload)?;
    Ok(match (good, bad) {
        (Err(words), _) => Err(Refusal::Theirs(words)),
        (Ok(read), _) if read != payload => Err(Refusal::Accepted("another payload was read".into())),
        (Ok(_), Ok(_)) => Err(Refusal::Accepted(format!("accepted with {which} turned: {turned}"))),
        (Ok(_), Err(_)) => Ok(()),
    })
}

fn we_verify(
    peer: &mut Peer<'_>,
    maker: &'static str,
    theirs: &mut TheirKeys,
    name: Name,
    form: Form,
    random: &mut Random,
) -> Result<Outcome> {
    let mut parts = vec![(name, "theirs")];
    if form.is_general() {
        parts.push((SECOND, "theirs-too"));
    }
    let mut made = Vec::new();
    for (name, _) in &parts {
        let mut maker = Peer { process: peer.process, name: maker };
        match theirs.key(&mut maker, *name)? {
            Ok(key) => made.push(key),
            Err(words) => return Ok(Err(Refusal::Theirs(words))),
        }
    }
    let signers: Vec<_> = parts
        .iter()
        .zip(&made)
        .map(|((name, kid), key)| Signer { alg: name.header, kid, key: &key.private })
        .collect();
    let payload = form.payload(random);
    let token = match peer.sign(form, &signers, &payload)? {
        Ok(token) => token,
        Err(words) => return Ok(Err(Refusal::Theirs(words))),
    };
    let mut keys = Vec::new();
    for ((name, kid), key) in parts.iter().zip(&made) {
        match ours::read(name.alg, &key.public) {
            Ok(key) => keys.push((key, *kid)),
            Err(words) => return Ok(Err(Refusal::Ours(words))),
        }
    }
    let keys: Vec<_> = keys.iter().map(|(key, kid)| (key, *kid)).collect();
    let (turned, which) = flip::one_bit(&token, random)?;
    Ok(match (ours::verify(form, &keys, &token, &payload), ours::verify(form, &keys, &turned, &payload)) {
        (Err(words), _) => Err(Refusal::Ours(format!("{words}: {token}"))),
        (Ok(read), _) if read != payload => Err(Refusal::Accepted("we read another payload".into())),
        (Ok(_), Ok(_)) => Err(Refusal::Accepted(format!("we accepted it with {which} turned: {turned}"))),
        (Ok(_), Err(_)) => Ok(()),
    })
}
