//! `GET /metrics`: the signing keys in figures, for Prometheus. Only for administrators, since names of keys and the number of
//! replicas are nobody else's business.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::admin::AdminProblem;
use crate::flow::administrator::{ActError, Administrator};
use crate::keys::KeyList;
use crate::state::App;

type ByAlg = Family<[(&'static str, &'static str); 1], Gauge>;

pub(crate) async fn metrics(State(app): State<App>, _: Administrator) -> Result<Response, AdminProblem> {
    let list = app.key_admin().list().await.map_err(ActError::Keys)?;
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    Ok((kind, text(&list)).into_response())
}

fn text(list: &KeyList) -> String {
    let (age, left) = (ByAlg::default(), ByAlg::default());
    for key in list.keys.iter().filter(|key| key.state == "active") {
        let alg = [("alg", key.alg)];
        let seconds = |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        age.get_or_create(&alg).set(seconds(list.now.since(key.since)));
        if let Some(until) = key.until {
            left.get_or_create(&alg).set(seconds(until.since(list.now)));
        }
    }
    let count = |matches: &dyn Fn(&crate::keys::ReplicaFacts) -> bool| {
        let gauge = Gauge::<i64>::default();
        let replicas = list.replicas.iter().filter(|replica| matches(replica)).count();
        gauge.set(i64::try_from(replicas).unwrap_or(i64::MAX));
        gauge
    };
    let mut registry = Registry::with_prefix("sealwright_signing_key");
    registry.register("age_seconds", "Since when the active key of an algorithm signs", age);
    registry.register("rotation_seconds", "When the next key takes over", left);
    registry.register("replicas", "Replicas that live", count(&|replica| replica.live));
    registry.register(
        "replicas_behind",
        "Replicas that serve an older set",
        count(&|replica| replica.behind),
    );
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = encode(&mut text, &registry);
    text
}
