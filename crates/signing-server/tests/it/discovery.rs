//! An issuer whose keys are where its metadata says.

use serde_json::json;

use crate::support::{DOCUMENT, World, show};

/// The resources, where the issuer is asked under that host.
fn discovered_at(host: &'static str) -> impl Fn(String) -> String {
    move |text| {
        let (before, after) = text.split_once("  jwksURI: ").unwrap();
        let (_, after) = after.split_once('\n').unwrap();
        format!(
            "{}  discovery: true\n{after}",
            before.replace("  issuer: http://127.0.0.1", &format!("  issuer: http://{host}"))
        )
    }
}

#[tokio::test]
async fn an_issuer_is_found_by_its_name_and_new_keys_with_it() {
    let world = World::edited(discovered_at("127.0.0.1")).await;
    assert_eq!(world.issuer.fetches(), 0, "nothing is asked before somebody needs it");
    assert_eq!(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap().status(), 200);
    world.issuer.rotate();
    assert_eq!(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap().status(), 200);
    assert_eq!(world.issuer.fetches(), 2);
}

/// The metadata says the name in other letters: whoever wrote it speaks for somebody else.
#[tokio::test]
async fn metadata_of_another_name_gives_no_keys() {
    let world = World::edited(discovered_at("localhost")).await;
    let mut claims = world.claims("contracts", DOCUMENT);
    claims["iss"] = json!(world.issuer.url().replace("127.0.0.1", "localhost"));
    let answer = show(world.sign(&world.issuer.token(claims)).send().await.unwrap()).await;
    assert!(
        answer.starts_with("503\n") && answer.contains("\"code\": \"authorization_server_unavailable\""),
        "{answer}"
    );
    assert_eq!(world.issuer.fetches(), 0);
    world.recorded().await.assert_nothing_signed();
}
