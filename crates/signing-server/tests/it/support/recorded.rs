//! What a server left in its database.

use sealwright_testkit::database::Storage;
use serde_json::Value;
use sqlx::{AnyPool, any::AnyPoolOptions};

/// The ledger and the audit log, read past the server.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// `(state, operation)` of each used token.
    pub(crate) ledger: Vec<(String, String)>,
    /// `(event, subject, details)` of each audit entry.
    pub(crate) audit: Vec<(String, Option<String>, Value)>,
}

impl Recorded {
    pub(super) async fn read(storage: &Storage) -> Self {
        let pool = connect(storage).await;
        let ledger = sqlx::query_as("SELECT state, operation FROM used_token ORDER BY reserved_at")
            .fetch_all(&pool)
            .await
            .unwrap();
        let audit: Vec<(String, Option<String>, String)> =
            sqlx::query_as("SELECT event, subject, details FROM audit_entry ORDER BY sequence")
                .fetch_all(&pool)
                .await
                .unwrap();
        pool.close().await;
        let parse = |(event, subject, details): (String, Option<String>, String)| {
            (event, subject, serde_json::from_str(&details).unwrap())
        };
        Self { ledger, audit: audit.into_iter().map(parse).collect() }
    }

    /// The events that are not about starting up.
    pub(crate) fn events(&self) -> Vec<&str> {
        let starting = ["server.started", "key.created"];
        self.audit
            .iter()
            .map(|(event, ..)| event.as_str())
            .filter(|event| !starting.contains(event))
            .collect()
    }

    /// The details of the only entry of this event.
    pub(crate) fn details(&self, event: &str) -> &Value {
        let mut found = self.audit.iter().filter(|(name, ..)| name == event);
        let (_, _, details) = found.next().unwrap_or_else(|| panic!("no {event} in {:?}", self.events()));
        assert!(found.next().is_none(), "more than one {event}");
        details
    }

    /// How often strangers were refused, by kind, as the summaries say.
    pub(crate) fn strangers(&self) -> Value {
        let summaries = self.audit.iter().filter(|(event, ..)| event == "refusals.summarised");
        Value::Array(summaries.map(|(_, _, details)| details.clone()).collect())
    }

    /// Nothing was signed, and no token was used up.
    #[track_caller]
    pub(crate) fn assert_nothing_signed(&self) {
        let events = self.events();
        assert!(
            !events.contains(&"signature.created") && !events.contains(&"certificate.issued"),
            "{events:?}"
        );
        assert!(self.ledger.iter().all(|(state, _)| state == "released"), "{:?}", self.ledger);
    }
}

async fn connect(storage: &Storage) -> AnyPool {
    sqlx::any::install_default_drivers();
    let url = match (&storage.spec().sqlite, &storage.spec().postgres) {
        (Some(sqlite), None) => format!("sqlite:{}", sqlite.path.display()),
        (None, Some(postgres)) => postgres.url.read(storage.dir()).unwrap().expose().to_owned(),
        _ => unreachable!("the testkit makes one of them"),
    };
    AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap()
}
