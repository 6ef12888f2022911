//! The resource server's layer.
//!
//! | asked | what it does |
//! |---|---|
//! | `layer FIXTURE` | answers the driver |
//! | `layer memory FIXTURE TOKENS PADDING` | verifies so many tokens, each of which is remembered, with as many more bytes of claims, and prints what that took |
//! | `layer tokens FIXTURE FILE COUNT` | writes tokens of ES256, one a line, each different |
//! | `layer http FIXTURE` | serves the endpoints on a port that it prints, until it is killed |

use std::path::Path;

use house::Fixture;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let fixture = |path: &str| Fixture::read(Path::new(path));
    let number = |text: &str| text.parse().expect("a number");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["memory", path, tokens, padding] => layer::memory(&fixture(path), number(tokens), number(padding)),
        ["tokens", path, file, count] => layer::tokens(&fixture(path), Path::new(file), number(count)),
        ["http", path] => layer::http(&fixture(path)),
        _ => house::serve(layer::operations(&Fixture::from_arguments())),
    }
}
