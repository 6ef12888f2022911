//! Every kind of key in every format: the peer works with what we wrote, and we work with what the peer wrote. That a key
//! was read whole is shown by a signature that the other half accepts, and refuses with one bit turned.

use crate::{
    Result,
    axis::{Name, PRIVATE_FORMATS, PUBLIC_FORMATS, exists, names},
    cannot::{Outcome, Refusal, Table},
    flip,
    form::Form,
    ours::{self, OurKey},
    peer::{KeyFile, Peer, Signer},
    random::Random,
    report::{Cell, Direction, Report},
    signatures::{OurKeys, TheirKey, TheirKeys},
};

const KID: &str = "k";

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
        let formats = PRIVATE_FORMATS.map(|format| (format, true)).into_iter();
        let formats = formats.chain(PUBLIC_FORMATS.map(|format| (format, false)));
        for (format, private) in formats.filter(|(format, _)| exists(format, name)) {
            let password = random.hex(12);
            let (they, we) = match private {
                true => (Direction::TheyReadPrivate, Direction::WeReadPrivate),
                false => (Direction::TheyReadPublic, Direction::WeReadPublic),
            };
            let cell = Cell { peer: peer.name, direction: they, what: format, alg: name.header };
            let ours = &ours[name.header];
            if let Some(file) = ours.export(format, private, &password) {
                let outcome = match file {
                    Ok(file) => they_read(peer, ours, &file, private, random)?,
                    Err(words) => Err(Refusal::Ours(words)),
                };
                table.judge(report, &cell, outcome);
            }
            let cell = Cell { direction: we, ..cell };
            let mut maker = Peer { process: peer.process, name: maker };
            let outcome = match theirs.key(&mut maker, name)? {
                Ok(key) => we_read(peer, name, &key, format, private, &password, random)?,
                Err(words) => Err(Refusal::Theirs(words)),
            };
            table.judge(report, &cell, outcome);
        }
    }
    Ok(())
}

/// The peer reads `file`, which is one of our keys.
fn they_read(
    peer: &mut Peer<'_>,
    ours: &OurKey,
    file: &KeyFile,
    private: bool,
    random: &mut Random,
) -> Result<Outcome> {
    let signer = Signer { alg: ours.name.header, kid: KID, key: file };
    let payload = Form::Compact.payload(random);
    if private {
        return Ok(match peer.sign(Form::Compact, &[signer], &payload)? {
            Ok(token) => we_accept(&ours.key, &token, &payload, random)?,
            Err(words) => Err(Refusal::Theirs(words)),
        });
    }
    match ours::sign(Form::Compact, &[(ours.name, &ours.key, KID)], &payload) {
        Ok(token) => they_accept(peer, &signer, &token, &payload, random),
        Err(words) => Ok(Err(Refusal::Ours(words))),
    }
}

/// We read what the peer writes of its own `key`.
fn we_read(
    peer: &mut Peer<'_>,
    name: Name,
    key: &TheirKey,
    format: &'static str,
    private: bool,
    password: &str,
    random: &mut Random,
) -> Result<Outcome> {
    let password = format.starts_with("encrypted").then_some(password);
    let file = match peer.export(name.header, &key.private, format, private, password)? {
        Ok(file) => file,
        Err(words) => return Ok(Err(Refusal::Theirs(words))),
    };
    let read = match ours::read(name.alg, &file) {
        Ok(read) => read,
        Err(words) => return Ok(Err(Refusal::Ours(words))),
    };
    let payload = Form::Compact.payload(random);
    let half = if private { &key.public } else { &key.private };
    let signer = Signer { alg: name.header, kid: KID, key: half };
    if private {
        return match ours::sign(Form::Compact, &[(name, &read, KID)], &payload) {
            Ok(token) => they_accept(peer, &signer, &token, &payload, random),
            Err(words) => Ok(Err(Refusal::Ours(words))),
        };
    }
    Ok(match peer.sign(Form::Compact, &[signer], &payload)? {
        Ok(token) => we_accept(&read, &token, &payload, random)?,
        Err(words) => Err(Refusal::Theirs(words)),
    })
}

fn we_accept(
    key: &sealwright_jose::Key,
    token: &str,
    payload: &[u8],
    random: &mut Random,
) -> Result<Outcome> {
    let (turned, which) = flip::one_bit(token, random)?;
    let verify = |token: &str| ours::verify(Form::Compact, &[(key, KID)], token, &[]);
    Ok(match (verify(token), verify(&turned)) {
        (Err(words), _) => Err(Refusal::Ours(format!("{words}: {token}"))),
        (Ok(read), _) if read != payload => Err(Refusal::Accepted("we read another payload".into())),
        (Ok(_), Ok(_)) => Err(Refusal::Accepted(format!("we accepted it with {which} turned: {turned}"))),
        (Ok(_), Err(_)) => Ok(()),
    })
}

fn they_accept(
    peer: &mut Peer<'_>,
    signer: &Signer<'_>,
    token: &str,
    payload: &[u8],
    random: &mut Random,
) -> Result<Outcome> {
    let (turned, which) = flip::one_bit(token, random)?;
    let signers = std::slice::from_ref(signer);
    let good = peer.verify(Form::Compact, signers, token, &[])?;
    let bad = peer.verify(Form::Compact, signers, &turned, &[])?;
    Ok(match (good, bad) {
        (Err(words), _) => Err(Refusal::Theirs(words)),
        (Ok(read), _) if read != payload => Err(Refusal::Accepted("another payload was read".into())),
        (Ok(_), Ok(_)) => Err(Refusal::Accepted(format!("accepted with {which} turned: {turned}"))),
        (Ok(_), Err(_)) => Ok(()),
    })
}
