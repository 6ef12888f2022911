//! The page for those who protect an API: its requests, sent to its program, are answered as it says.
#![expect(dead_code, reason = "the program's `main` listens on a port, and here it is asked without one")]

use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

include!("../../examples/hello.rs");

const PAGE: &str = include_str!("../../../../docs/src/howto/protect-an-api.md");

/// What stands between the fences of this kind, in its order.
fn blocks(kind: &str) -> Vec<&'static str> {
    let opening = format!("```{kind}\n");
    PAGE.split(opening.as_str()).skip(1).filter_map(|rest| rest.split("```\n").next()).collect()
}

/// Sends what a line with `curl -i` asks for, and shows the answer as curl does. Of the headers those are left out that the
/// page leaves out: they say when, and how long the body is.
async fn curl(api: Router, line: &str) -> String {
    let (options, url) = line.trim_start_matches("$ curl -i ").rsplit_once(' ').unwrap_or(("", line));
    let path = url.trim_start_matches("$ curl -i ").strip_prefix("http://127.0.0.1:8080").unwrap();
    let mut request = Request::get(path);
    for option in options.split("-H ").skip(1) {
        let (name, value) = option.trim().trim_matches('\'').split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let response = api.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut shown = format!("{line}\nHTTP/1.1 {}\n", response.status());
    for (name, value) in response.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::DATE {
            shown += &format!("{name}: {}\n", value.to_str().unwrap());
        }
    }
    let body = response.into_body().collect().await.unwrap().to_bytes();
    shown + "\n" + str::from_utf8(&body).unwrap() + "\n"
}

#[test]
fn the_page_shows_the_program_that_is_asked_here() {
    assert_eq!(blocks("rust,no_run"), [include_str!("../../examples/hello.rs")]);
}

#[tokio::test]
async fn the_answers_are_those_of_the_program() {
    let shown = blocks("console");
    assert!(shown.len() >= 3, "{shown:?}");
    for block in shown {
        let line = block.lines().next().unwrap();
        assert_eq!(curl(api().unwrap(), line).await, block);
    }
}
