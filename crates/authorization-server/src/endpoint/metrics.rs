//! `GET /metrics`: the signing keys in figures, for Prometheus. Only for administrators, since names of keys and the number of
//! replicas are nobody else's business.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use super::admin::AdminProblem;
use crate::flow::administrator::{ActError, Administrator};
use crate::keys::KeyList;
use crate::signing_keys::meter::Meter;
use crate::signing_keys::snapshot::NoSigner;
use crate::state::App;

type ByAlg = Family<[(&'static str, &'static str); 1], Gauge>;

pub(crate) async fn metrics(State(app): State<App>, _: Administrator) -> Result<Response, AdminProblem> {
    let list = app.key_admin().list().await.map_err(ActError::Keys)?;
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    let used = {
        let keys = app.keys.snapshot();
        let (meters, sealed_elsewhere) = (Arc::clone(&keys.meters), keys.sealed_elsewhere);
        Used { meters, refused: app.keys.refused().collect(), sealed_elsewhere }
    };
    Ok((kind, text(&list, used)).into_response())
}

/// What was signed in this process. A key that is gone is not among it.
#[derive(Debug)]
struct Used {
    meters: Arc<[Arc<Meter>]>,
    refused: Vec<(NoSigner, u64)>,
    sealed_elsewhere: usize,
}

impl Collector for Used {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let figures: Vec<_> = self.meters.iter().map(|meter| (labels(meter), meter.figures())).collect();
        let help = "Signatures that a key could not make, in this process";
        let mut family = encoder.encode_descriptor("failures", help, None, MetricType::Counter)?;
        for (labels, figures) in &figures {
            let metric = family.encode_family(labels)?;
            ConstCounter::new(figures.failed).encode(metric)?;
        }
        let help = "Requests for tokens that no key could sign, in this process, by reason";
        let mut family = encoder.encode_descriptor("refusals", help, None, MetricType::Counter)?;
        for (why, count) in &self.refused {
            let reason = [("reason", why.name())];
            let metric = family.encode_family(&reason)?;
            ConstCounter::new(*count).encode(metric)?;
        }
        let help = "Keys under a key-encryption key that this process does not have";
        let metric = encoder.encode_descriptor("sealed_elsewhere", help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::try_from(self.sealed_elsewhere).unwrap_or(i64::MAX)).encode(metric)?;
        let (help, unit) = ("How long the signatures of a key took, in this process", Unit::Seconds);
        let mut family = encoder.encode_descriptor("signing", help, Some(&unit), MetricType::Histogram)?;
        for (labels, figures) in &figures {
            let mut metric = family.encode_family(labels)?;
            metric.encode_histogram::<NoLabelSet>(figures.total_s, figures.signed, &figures.buckets, None)?;
        }
        Ok(())
    }
}

fn labels(meter: &Meter) -> [(&'static str, String); 2] {
    [("kid", meter.kid.clone()), ("alg", meter.alg.name().to_owned())]
}

fn text(list: &KeyList, used: Used) -> String {
    let (age, left) = (ByAlg::default(), ByAlg::default());
    let (mut ages, mut lefts) = (BTreeMap::new(), BTreeMap::new());
    for key in list.keys.iter().filter(|key| key.state == "active") {
        let alg = [("alg", key.alg)];
        let seconds = |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        // While the way from declared keys to a plan is gone there may be two: the older one, and the next change.
        let lived = seconds(list.now.since(key.since));
        let oldest = ages.entry(key.alg).or_insert(lived);
        *oldest = lived.max(*oldest);
        age.get_or_create(&alg).set(*oldest);
        if let Some(until) = key.until {
            let lasts = seconds(until.since(list.now));
            let soonest = lefts.entry(key.alg).or_insert(lasts);
            *soonest = lasts.min(*soonest);
            left.get_or_create(&alg).set(*soonest);
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
    registry.register_collector(Box::new(used));
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = encode(&mut text, &registry);
    text
}
