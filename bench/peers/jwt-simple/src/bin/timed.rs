//! Answers the driver.

fn main() {
    house::serve(peer_jwt_simple::operations(&house::Fixture::from_arguments()));
}
