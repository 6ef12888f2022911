//! The verify paths of Sealwright on fixed keys and compact tokens, alone and behind the resource server's layer.

mod inputs;
mod layered;
mod paths;

fn main() {
    counts::run(paths::PATHS, inputs::Inputs::read());
}
