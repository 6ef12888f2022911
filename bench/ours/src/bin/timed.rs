//! The floor and Sealwright. `ours FIXTURE` answers the driver; `ours fixture FOLDER` makes a fixture; `ours large WHAT
//! MIB` does one thing to a payload of that size and prints its time and the process's peak memory.

use house::Fixture;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["fixture", folder] => ours::make_fixture(folder.as_ref()),
        ["large", what, mib] => ours::large(what, mib.parse().expect("a number of MiB")),
        _ => house::serve(ours::operations(&Fixture::from_arguments())),
    }
}
