//! Answers the driver.

fn main() {
    house::serve(peer_jsonwebtoken::operations(&house::Fixture::from_arguments()));
}
