//! Answers the driver.

fn main() {
    house::serve(peer_josekit::operations(&house::Fixture::from_arguments()));
}
