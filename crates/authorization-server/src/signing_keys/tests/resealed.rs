//! Keys that are sealed anew beside servers that run.

use super::declared::{declared, key};
use super::*;
use crate::keys::KeyAdmin;

/// Providers with the key-encryption keys of these names, the first of which seals; the folder has all of them.
fn provider_with(dir: &tempfile::TempDir, ids: &[&str]) -> KeyProvider {
    let specs: Vec<KekSpec> = ids
        .iter()
        .map(|id| {
            let file = dir.path().join(id);
            if !file.exists() {
                std::fs::write(&file, KekRing::generate_text().as_bytes()).unwrap();
            }
            KekSpec { id: (*id).to_owned(), file: Some(file), ..KekSpec::default() }
        })
        .collect();
    KeyProvider::sealed(KekRing::read(&specs, dir.path()).unwrap())
}

impl Member {
    fn sealed_elsewhere(&self) -> usize {
        self.keys.snapshot().sealed_elsewhere
    }
}

#[tokio::test]
async fn a_server_with_the_old_ring_goes_on_and_knows_what_it_lacks() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, dir) = (Fleet::new(database, &[Alg::Es256]).await, tempfile::tempdir().unwrap());
        let (old, both) = (provider_with(&dir, &["k1"]), provider_with(&dir, &["k2", "k1"]));
        let mut member = fleet.replica(&old).await;
        member.turn(&fleet).await;
        let kid = member.signer().unwrap();
        assert_eq!(member.sealed_elsewhere(), 0);

        // Beside it a replica with declared keys, which are none of a provider's business.
        let mut other = fleet.declare(declared(&fleet.plan, Some(&key("key-1")), &[])).await;
        other.turn(&fleet).await;
        let source = Source::Planned { plan: fleet.plan.clone(), provider: both.clone() };
        let (database, clock) = (fleet.database.clone(), fleet.clock.clone());
        let admin = KeyAdmin::with("id", "http://id", source, database, clock);
        assert_eq!(admin.reseal().await.unwrap().resealed, 2, "the one that signs, and the one in reserve");

        fleet.clock.advance(Duration::from_secs(300));
        member.turn(&fleet).await;
        assert_eq!(member.signer().unwrap(), kid, "it has its key open");
        assert!(member.keys.snapshot().can_sign().is_ok());
        assert_eq!(member.sealed_elsewhere(), 2, "a day before the first of them would be missed");

        // Other settings with the old ring are refused, and change nothing.
        let again = Source::Planned { plan: fleet.plan.clone(), provider: old.clone() };
        let error = member.go_by(&fleet, again).await.unwrap_err().to_string();
        assert!(error.contains("the key-encryption key `k2`, which is not in the ring"), "{error}");
        assert_eq!((member.signer().unwrap(), member.sealed_elsewhere()), (kid.clone(), 2));

        let mended = Source::Planned { plan: fleet.plan.clone(), provider: both };
        member.go_by(&fleet, mended).await.unwrap();
        assert_eq!((member.signer().unwrap(), member.sealed_elsewhere()), (kid, 0));
    })
    .await;
}
