//! What of private keys can be found in the database, its write-ahead log and backups: nothing. The public halves are found in
//! each of these places by the same search, which shows that it finds.

use std::collections::BTreeSet;

use sealwright_jose::{Alg, SigningKey};
use sealwright_service::database::Database;
use sealwright_testkit::database::{fresh_postgres, fresh_sqlite};
use sealwright_testkit::needles::{self, Finder, Needle};
use sqlx::Row as _;

use super::backup::admin;
use super::{DAY, Fleet, KeyProvider, provider};
use crate::signing_keys::record::KeyRecord;
use crate::signing_keys::transaction;
use crate::store::MIGRATOR;

const MIGRATORS: [&sqlx::migrate::Migrator; 2] = [&MIGRATOR, &sealwright_audit::MIGRATOR];
const ALGS: [Alg; 4] = [Alg::Es256, Alg::Rs256, Alg::Ed25519, Alg::MlDsa44];

/// A key that the test knows, with what it looks for.
struct Known {
    kid: String,
    private: Vec<Needle>,
    public: Vec<Needle>,
}

impl Known {
    fn new(kid: &str, key: &SigningKey) -> Self {
        let jwk = key.to_jwk().unwrap();
        Self { kid: kid.to_owned(), private: needles::private(&jwk), public: needles::public(&jwk) }
    }
}

/// Searches a place that has several parts, such as files, for all keys: nothing of their private halves is in it, and the
/// public halves are.
fn search<'p>(place: &str, parts: impl IntoIterator<Item = (String, impl AsRef<[u8]> + 'p)>, keys: &[Known]) {
    let private = Finder::new(keys.iter().map(|key| (key.kid.as_str(), &key.private[..])));
    let public = Finder::new(keys.iter().map(|key| (key.kid.as_str(), &key.public[..])));
    let mut seen = BTreeSet::new();
    for (part, content) in parts {
        let content = content.as_ref();
        if let Some((kid, needle, at)) = private.find(content).first() {
            panic!("{place} has the private half of {kid} in {part}: {} at {at}", needle.what);
        }
        seen.extend(public.find(content).into_iter().map(|(kid, ..)| kid));
    }
    for key in keys {
        assert!(
            seen.contains(key.kid.as_str()),
            "the search of {place} did not find the public half of {}",
            key.kid
        );
    }
}

async fn backup(fleet: &Fleet, provider: &KeyProvider) -> (String, String) {
    (fleet.clock.now().to_rfc3339(), admin(fleet, provider).backup().await.unwrap())
}

/// Brings keys that the test knows into the fleet, and lets them sign and be erased; backups are searched on the way.
async fn live(fleet: &Fleet) -> Vec<Known> {
    let provider = provider();
    let mut keys = Vec::new();
    for alg in ALGS {
        let key = SigningKey::generate(alg).unwrap();
        let kid = format!("known-{}", alg.name().to_ascii_lowercase());
        keys.push(Known::new(&kid, &key));
        let kept = provider.import(&kid, key).await.unwrap();
        let now = fleet.clock.now();
        let thumbprint = kept.public.thumbprint_base64url();
        let record = KeyRecord::new(&kid, &kept.public, thumbprint, Some(kept.text), now);
        assert!(
            transaction::add(&fleet.database, &record, "key.imported", None, None, |_| true).await.unwrap()
        );
    }
    let mut backups = vec![backup(fleet, &provider).await];
    let mut member = fleet.replica(&provider).await;
    assert_eq!(member.signer().unwrap(), "known-es256");
    backups.push(backup(fleet, &provider).await);
    let sealed = backups[1].1.matches("\\\"sealed\\\"").count();
    assert!(sealed >= ALGS.len(), "the private halves are in it, sealed: {sealed}");
    for days in [29, 1, 1] {
        fleet.clock.advance(days * DAY);
        for _ in 0..3 {
            member.turn(fleet).await;
        }
        backups.push(backup(fleet, &provider).await);
    }
    assert_ne!(member.signer().unwrap(), "known-es256");
    for backup in backups {
        search("a backup", [backup], &keys);
    }
    keys
}

#[tokio::test]
async fn no_private_key_is_in_the_files_of_sqlite_or_in_a_backup() {
    let fresh = fresh_sqlite(&MIGRATORS).await;
    let fleet = Fleet::new(fresh.clone(), &ALGS).await;
    let keys = live(&fleet).await;
    let files = std::fs::read_dir(fresh.storage().dir()).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), content)
    });
    let files: Vec<_> = files.collect();
    let log: Vec<_> = files.iter().filter(|(name, _)| name.ends_with("-wal")).cloned().collect();
    search("the write-ahead log", log, &keys);
    search("the folder of the database", files, &keys);
    fleet.database.close().await;
    let file = std::fs::read(fresh.storage().spec().sqlite.as_ref().unwrap().path.as_path()).unwrap();
    search("the database, into which the log was folded", [("its file".to_owned(), file)], &keys);
}

/// The files of PostgreSQL as its server reads them for a superuser, so that it does not matter whose they are or on which
/// machine; who is none sees this test fail.
async fn files(database: &Database, list: &'static str, first: Option<&str>) -> Vec<(String, Vec<u8>)> {
    let names = sqlx::query_scalar(list);
    let names = if let Some(first) = first { names.bind(first.to_owned()) } else { names };
    let names: Vec<String> = names.fetch_all(database.reader()).await.unwrap();
    assert!(!names.is_empty(), "no files: {list}");
    let mut files = Vec::new();
    for name in names {
        // One that goes away in between, as files of other databases and old parts of the log do, is nothing to search.
        let read = "SELECT pg_read_binary_file($1, 0, (pg_stat_file($1, true)).size, true)";
        let read = sqlx::query(read).bind(&name);
        let row = read.fetch_one(database.reader()).await.unwrap();
        if let Some(content) = row.get::<Option<Vec<u8>>, _>(0) {
            files.push((name, content));
        }
    }
    files
}

#[tokio::test]
async fn no_private_key_is_in_the_files_of_postgresql_or_in_a_backup() {
    /// A slot keeps what is in the log from now on: checkpoints, which other tests ask for, would have it overwritten.
    const KEEP: &str = "SELECT pg_walfile_name(pg_current_wal_lsn()) FROM \
                        pg_create_physical_replication_slot(current_database(), true, true)";
    const LOG: &str = "SELECT 'pg_wal/' || name FROM pg_ls_waldir() \
                       WHERE name BETWEEN $1 AND pg_walfile_name(pg_current_wal_lsn())";
    const TABLES: &str = "SELECT 'base/' || oid::bigint || '/' || file FROM pg_database, \
                          LATERAL pg_ls_dir('base/' || oid::bigint) AS file WHERE datname = current_database()";
    let fresh = fresh_postgres(&MIGRATORS).await;
    // It ends with its connection.
    let mut keeps = fresh.writer().acquire().await.unwrap();
    let first: String = sqlx::query_scalar(KEEP).fetch_one(&mut *keeps).await.unwrap();
    let fleet = Fleet::new(fresh.clone(), &ALGS).await;
    let keys = live(&fleet).await;
    // What is in the memory of the server still is written first, to the log, which a checkpoint shortens, and then to the tables.
    sqlx::query("SELECT pg_switch_wal()::text").execute(fresh.writer()).await.unwrap();
    search("the write-ahead log", files(&fresh, LOG, Some(&first)).await, &keys);
    drop(keeps);
    sqlx::query("CHECKPOINT").execute(fresh.writer()).await.unwrap();
    search("the folder of the database", files(&fresh, TABLES, None).await, &keys);
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let key = SigningKey::generate(Alg::Es256).unwrap();
    let keys = [Known::new("known", &key)];
    let said = |content: &[u8]| {
        let content = content.to_vec();
        let searched = std::panic::catch_unwind(|| search("it", [("a part".to_owned(), &content)], &keys));
        searched.err().map(|panic| *panic.downcast::<String>().unwrap())
    };
    assert_eq!(said(key.verifying_key().to_jwk().as_bytes()), None);
    let nothing = said(b"nothing").unwrap();
    assert_eq!(nothing, "the search of it did not find the public half of known");
    for content in [&key.to_pkcs8_der().unwrap()[..], key.to_jwk().unwrap().as_bytes()] {
        let found = said(content).unwrap();
        assert!(found.starts_with("it has the private half of known in a part: d "), "{found}");
    }
}
