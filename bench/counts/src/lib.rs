//! What the programs of this package share: the tokens, and the functions from which their paths are called.
//!
//! The programs are to be run under callgrind by `cargo xtask counts`. Each path is a function that is never inlined,
//! called from `measured` through a pointer; callgrind's record of those calls says how many instructions one took. The
//! paths named `…_primitive` are the cryptography alone, over the same bytes; what is left after subtracting them is our
//! own code.
//!
//! There are two programs because the linker's optimizer inlines what has one caller: whoever verifies compact tokens
//! alone does not pay for the other serializations, and neither do their counts.

pub mod input;

use std::hint::black_box;

/// One path, called with what the program made before counting starts.
pub type Path<I> = fn(&mut I);

/// So often before counting starts: buffers have grown and headers are remembered after it.
const WARM_UP: usize = 3;
/// Most inputs are the same each time, so few calls are enough.
const CALLS: usize = 16;

/// Defines each path as a function of its own name, and `PATHS`, which lists them.
#[macro_export]
macro_rules! paths {
    ($inputs:ty: $($name:ident => $run:expr;)*) => {
        /// All of them, by the name of their function.
        pub(crate) const PATHS: &[(&str, $crate::Path<$inputs>)] = &[$((stringify!($name), $name)),*];
        $(
            #[inline(never)]
            fn $name(inputs: &mut $inputs) {
                let run: $crate::Path<$inputs> = $run;
                run(inputs);
            }
        )*
    };
}

/// Calls each path, and says which and on what machine.
pub fn run<I>(paths: &[(&str, Path<I>)], mut inputs: I) {
    // One path alone, for whoever looks into where its instructions are spent.
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    for (_, path) in paths.iter().filter(|(name, _)| wanted(name)) {
        warm_up(*path, &mut inputs);
    }
    for (name, path) in paths.iter().filter(|(name, _)| wanted(name)) {
        measured(*path, &mut inputs);
        println!("path {name}");
    }
    println!("machine {}", machine());
}

#[inline(never)]
fn warm_up<I>(path: Path<I>, inputs: &mut I) {
    for _ in 0..WARM_UP {
        black_box(path)(inputs);
    }
}

#[inline(never)]
fn measured<I>(path: Path<I>, inputs: &mut I) {
    for _ in 0..CALLS {
        black_box(path)(inputs);
    }
}

/// What decides which variants of SIMD code run: counts can be compared between machines that say the same.
fn machine() -> String {
    let arch = std::env::consts::ARCH;
    #[cfg(target_arch = "x86_64")]
    let features =
        [("avx2", is_x86_feature_detected!("avx2")), ("avx512", is_x86_feature_detected!("avx512bw"))];
    #[cfg(not(target_arch = "x86_64"))]
    let features: [(&str, bool); 0] = [];
    let names: String = features.iter().filter(|(_, has)| *has).map(|(name, _)| format!("-{name}")).collect();
    format!("{arch}{names}")
}
