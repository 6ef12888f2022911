//! What of private keys can be found in the database, its write-ahead log and a copy of it: nothing.

use std::collections::BTreeMap;

use sealwright_jose::{Alg, SigningKey, base64url};
use sealwright_testkit::database::{fresh_postgres, fresh_sqlite};
use sqlx::Row as _;

use super::{DAY, Fleet, provider};
use crate::signing_keys::record::KeyRecord;
use crate::signing_keys::transaction;
use crate::store::MIGRATOR;

const MIGRATORS: [&sqlx::migrate::Migrator; 2] = [&MIGRATOR, &sealwright_audit::MIGRATOR];

/// Every secret number of a key and its DER, each as bytes and in the spellings in which texts have them.
fn forms(key: &SigningKey) -> Vec<(String, Vec<u8>)> {
    let jwk: BTreeMap<String, serde_json::Value> = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
    let secret = ["d", "p", "q", "dp", "dq", "qi"];
    let mut found: Vec<(String, Vec<u8>)> = jwk
        .iter()
        .filter(|(name, _)| secret.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), base64url::decode(value.as_str().unwrap()).unwrap()))
        .collect();
    found.push(("DER".to_owned(), key.to_pkcs8_der().unwrap().to_vec()));
    let mut forms = Vec::new();
    for (name, bytes) in found {
        // The middle is the same whatever stands around it, and in base64 at any offset of three.
        let middle = &bytes[bytes.len() / 4..bytes.len() / 4 + 18];
        forms.push((format!("{name}, raw"), middle.to_vec()));
        let mut reversed = middle.to_vec();
        reversed.reverse();
        forms.push((format!("{name}, raw and little-endian"), reversed));
        for offset in 0..3 {
            let text = base64url::encode(&middle[offset..offset + 15]);
            forms.push((format!("{name}, base64url"), text.clone().into_bytes()));
            forms.push((format!("{name}, base64"), text.replace('-', "+").replace('_', "/").into_bytes()));
        }
        let hex: String = middle.iter().map(|byte| format!("{byte:02x}")).collect();
        forms.push((format!("{name}, hexadecimal"), hex.clone().into_bytes()));
        forms.push((format!("{name}, HEXADECIMAL"), hex.to_uppercase().into_bytes()));
    }
    forms
}

fn search(place: &str, content: &[u8], forms: &[(String, Vec<u8>)]) {
    for (what, form) in forms {
        let found = content.windows(form.len()).any(|window| window == form);
        assert!(!found, "{place} holds a private key ({what})");
    }
}

/// Brings keys that the test knows into the fleet, and lets them sign and be erased.
async fn live(fleet: &Fleet) -> Vec<(String, Vec<u8>)> {
    let provider = provider();
    let mut forms_of_all = Vec::new();
    for alg in [Alg::Es256, Alg::Rs256, Alg::Ed25519] {
        let key = SigningKey::generate(alg).unwrap();
        forms_of_all.extend(forms(&key));
        let kid = format!("known-{}", alg.name().to_ascii_lowercase());
        let kept = provider.import(&kid, key).await.unwrap();
        let now = fleet.clock.now();
        let thumbprint = kept.public.thumbprint_base64url();
        let record = KeyRecord::new(&kid, &kept.public, thumbprint, Some(kept.text), now);
        assert!(
            transaction::add(&fleet.database, &record, "key.imported", None, None, |_| true).await.unwrap()
        );
    }
    let mut member = fleet.replica(&provider).await;
    assert_eq!(member.signer().unwrap(), "known-es256");
    for days in [29, 1, 1] {
        fleet.clock.advance(days * DAY);
        for _ in 0..3 {
            member.turn(fleet).await;
        }
    }
    assert_ne!(member.signer().unwrap(), "known-es256");
    forms_of_all
}

#[tokio::test]
async fn no_private_key_is_in_the_files_of_sqlite() {
    let fresh = fresh_sqlite(&MIGRATORS).await;
    let fleet = Fleet::new(fresh.clone(), &[Alg::Es256, Alg::Rs256, Alg::Ed25519]).await;
    let forms = live(&fleet).await;
    let (mut files, mut has_seen_the_name) = (0, false);
    for entry in std::fs::read_dir(fresh.storage().dir()).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        search(&path.display().to_string(), &content, &forms);
        has_seen_the_name |= content.windows(11).any(|window| window == b"known-es256");
        files += 1;
    }
    assert!(files >= 2 && has_seen_the_name, "the database and its log were looked at");
}

#[tokio::test]
async fn no_private_key_is_in_a_dump_of_postgresql() {
    let fresh = fresh_postgres(&MIGRATORS).await;
    let fleet = Fleet::new(fresh.clone(), &[Alg::Es256, Alg::Rs256, Alg::Ed25519]).await;
    let forms = live(&fleet).await;
    let mut dump = String::new();
    for table in ["signing_key", "key_event", "key_epoch", "replica", "audit_entry"] {
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(format!("SELECT row_to_json(t)::text AS row FROM {table} t")))
                .fetch_all(fresh.reader())
                .await
                .unwrap();
        dump.extend(rows.iter().map(|row| row.get::<String, _>("row")));
    }
    assert!(dump.contains("known-es256"));
    search("the dump", dump.as_bytes(), &forms);
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let key = SigningKey::generate(Alg::Es256).unwrap();
    let forms = forms(&key);
    let found = |content: &[u8]| std::panic::catch_unwind(|| search("", content, &forms)).is_err();
    assert!(!found(b"nothing"));
    assert!(found(&key.to_pkcs8_der().unwrap()));
    assert!(found(key.to_jwk().unwrap().as_bytes()));
}
