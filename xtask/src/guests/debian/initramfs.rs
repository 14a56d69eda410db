//! Makes the Debian guest's initramfs from `guests/linux/{init, modules}` and Debian's files.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, GzBuilder};

use crate::failure::{OnFile, Result};
use crate::guests::debian::newc::Archive;

/// What `guests/linux` says.
#[derive(Debug)]
pub(super) struct Recipe {
    /// The script that the kernel starts.
    pub init: String,
    /// Kernel modules to load, in this order: paths below the kernel's module folder, as `kernel/net/9p/9pnet.ko`.
    pub modules: Vec<String>,
}

impl Recipe {
    /// Reads the recipe from its folder. The modules are in the file `modules`, if there are any.
    pub(super) fn read(folder: &Path, modules: Option<&str>) -> Result<Recipe> {
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).on("read", &path)
        };
        let modules = modules.map_or(Ok(String::new()), text)?;
        let lines = modules.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        Ok(Recipe { init: text("init")?, modules: lines.filter(|line| !line.is_empty()).map(String::from).collect() })
    }
}

/// The initramfs, compressed. `modules` are the contents of the recipe's modules, in the same order; `programs` are what else goes where.
pub(super) fn make(recipe: &Recipe, modules: &[Vec<u8>], programs: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "etc", "modules", "proc", "root", "sys", "tmp"] {
        archive.folder(folder);
    }
    // The kernel opens it for `init` before anything is mounted.
    archive.character_device("dev/console", 5, 1);
    for (path, program) in programs {
        archive.file(path, 0o755, program);
    }
    archive.link("bin/sh", "busybox");
    // Numbered, so that the order of the names is the order of loading.
    for (index, (path, content)) in recipe.modules.iter().zip(modules).enumerate() {
        let name = path.rsplit('/').next().unwrap_or(path);
        archive.file(&format!("modules/{index:02}-{name}"), 0o644, content);
    }
    archive.file("init", 0o755, recipe.init.as_bytes());
    let compressed = Path::new("the compressed initramfs");
    // No name and no time in the gzip header.
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    gzip.write_all(&archive.finish()).on("write", compressed)?;
    gzip.finish().on("write", compressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_input_gives_equal_bytes() {
        let recipe = Recipe { init: "#!/bin/sh\n".into(), modules: vec!["kernel/a/b.ko".into()] };
        let made = || make(&recipe, &[vec![1, 2, 3]], &[("bin/a", vec![4]), ("bin/b", vec![5])]).unwrap();
        let bytes = made();
        assert_eq!(bytes, made());
        assert_eq!(&bytes[4..8], [0; 4], "a time stamp");
    }
}
