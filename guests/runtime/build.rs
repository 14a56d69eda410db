//! Tells the linker where guest.ld is. A guest's own build script asks for it by name.

fn main() {
    println!("cargo:rerun-if-changed=guest.ld");
    println!("cargo:rustc-link-search={}", std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
}
