//! Tells the linker where the CPU's guest.ld is. A guest's own build script asks for it by name.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let folder = format!("{}/src/{}", of("CARGO_MANIFEST_DIR"), of("CARGO_CFG_TARGET_ARCH"));
    println!("cargo:rerun-if-changed={folder}/guest.ld");
    println!("cargo:rustc-link-search={folder}");
}
