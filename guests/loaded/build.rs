//! Links the programs where loaded.ld says.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=loaded.ld");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-arg-bins=-T{folder}/loaded.ld");
        // x86_64-unknown-none makes position-independent programs unless it is told not to.
        println!("cargo:rustc-link-arg-bins=--no-pie");
        // `flat` has addresses in a header that the file begins with: no page of the file is left empty before it.
        println!("cargo:rustc-link-arg-bins=-zmax-page-size=4096");
    }
}
