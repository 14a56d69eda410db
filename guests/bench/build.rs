//! Links the bare-metal program where guest-runtime's guest.ld says; on arm64 with an entry of its own that looks at the
//! clock before anything else, which guest-runtime does on x86_64.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).as_deref() == Ok(value);
    if is("CARGO_CFG_TARGET_OS", "none") {
        println!("cargo:rustc-link-arg-bins=-Tguest.ld");
        // x86_64-unknown-none makes position-independent programs unless it is told not to.
        println!("cargo:rustc-link-arg-bins=--no-pie");
    }
    if is("CARGO_CFG_TARGET_ARCH", "aarch64") {
        println!("cargo:rustc-link-arg-bins=--entry=bench_start");
    }
}
