//! What users' trees call the nodes of the generated tree: labels, as in `&gic`, and the names of vdevs, as in
//! `qvm,vdev = "con"`.
//!
//! The blob that the guest gets carries no labels (`__symbols__`), as in qvm.

use std::collections::BTreeMap;

use super::super::Vdev;
use super::{Node, generate};

/// Names to paths.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Names {
    /// Labels.
    pub(super) labels: BTreeMap<String, String>,
    /// Vdevs and the interrupt controller.
    pub(super) vdevs: BTreeMap<String, String>,
}

impl Names {
    /// The names of what is in the generated tree `root` of a VM with these vdevs and an interrupt controller called
    /// `controller`. A vdev has its name, and the name of its type if it is the only one of that.
    pub(in super::super) fn new(root: &Node, controller: &str, vdevs: &[Vdev]) -> Names {
        let mut names = Names::default();
        let gic = root.children.iter().find(|node| node.name.starts_with("interrupt-controller@"));
        if let Some(gic) = gic {
            names.vdevs.extend(["gic", controller].map(|name| (name.to_owned(), format!("/{}", gic.name))));
        }
        for vdev in vdevs {
            let path = format!("/{}", generate::node_name(vdev));
            let word = vdev.kind.word();
            if vdevs.iter().filter(|other| other.kind.word() == word).count() == 1 {
                names.vdevs.insert(word.to_owned(), path.clone());
            }
            names.vdevs.insert(vdev.name.clone(), path);
        }
        let cpus = root.children.iter().find(|node| node.name == "cpus").into_iter().flat_map(|cpus| &cpus.children);
        for (index, cpu) in cpus.enumerate() {
            names.labels.insert(format!("cpu{index}"), format!("/cpus/{}", cpu.name));
        }
        names.label_below(root, "");
        let vdevs: Vec<_> = names.vdevs.iter().map(|(name, path)| (as_label(name), path.clone())).collect();
        names.labels.extend(vdevs);
        names
    }

    fn label_below(&mut self, node: &Node, path: &str) {
        for child in &node.children {
            let path = format!("{path}/{}", child.name);
            // CPUs have names that are easier to write.
            if child.name != "cpus" {
                self.label_below(child, &path);
            }
            self.labels.entry(as_label(&child.name)).or_insert(path);
        }
    }
}

/// A name as a label, which has letters, digits and underscores only (6.2).
fn as_label(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
