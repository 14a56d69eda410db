//! The report as one HTML file: no scripts, no network, light and dark as the reader's machine is, and fit to be printed.

use super::svg::escaped;
use super::{Report, Vm, picture, size};

const STYLE: &str = include_str!("style.css");

impl Report {
    /// The whole file.
    pub fn html(&self) -> String {
        let board = &self.board;
        let names: Vec<&str> = self.vms.iter().map(|vm| vm.name.as_str()).collect();
        let title = escaped(&format!("{} on {}", names.join(", "), board.name));
        let head = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Ostler: {title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p class=\"lead\">{}: {}, {} CPUs, {} of RAM at <code>{:#x}</code>. \
             After a failure of Ostler: {}.</p>\n<p class=\"note\">Configuration <code>{}</code></p>\n",
            escaped(&board.description),
            escaped(&board.controller),
            board.cpus.len(),
            size(board.memory_bytes),
            board.memory_base,
            board.on_failure,
            self.configuration.get(..16).unwrap_or(&self.configuration),
        );
        let boards = format!(
            "<section>\n<h2>The board</h2>\n<h3>RAM</h3>\n<p class=\"note\">The bar is to scale; Ostler places VMs in it at boot.</p>\n\
             <div class=\"scroll\">{}</div>\n<h3>CPUs</h3>\n<p class=\"note\">Each vCPU stays on its pCPU; priority, then policy.</p>\n\
             <div class=\"scroll\">{}</div>\n</section>\n",
            picture::memory(board),
            picture::cpus(board)
        );
        let note = "<p class=\"note\">Not to scale: heights grow with the logarithm of the length, and a torn edge is a gap. Addresses are the guest's own.</p>\n";
        let vms: String = self.vms.iter().enumerate().map(|(index, vm)| self::vm(vm, index)).collect();
        format!("{head}{boards}<h2>Virtual machines</h2>\n{note}{vms}{}</body>\n</html>\n", self.rest())
    }

    /// Images, owners, what is shared.
    fn rest(&self) -> String {
        let image = |image: &super::Image| {
            let hash = image.sha256.get(..12).unwrap_or(&image.sha256);
            vec![
                cell("", &image.name),
                cell("", &image.kind),
                cell("number", &size(image.bytes)),
                cell("code", &format!("{hash}…")),
                cell("", &image.vms.join(", ")),
            ]
        };
        let images = match self.images.is_empty() {
            true => "<p>They were not read.</p>\n".to_owned(),
            false => table(&["name", "kind", "size", "SHA-256", "for"], self.images.iter().map(image)),
        };
        let resource = |it: &super::Resource| {
            let others = if it.others.is_empty() { "nobody else" } else { &it.others };
            vec![cell("", &it.what), cell("", &it.owner), cell("", others)]
        };
        let resources = table(&["what", "owner", "others"], self.resources.iter().map(resource));
        let shared = |it: &super::Shared| vec![cell("", &it.what), cell("", &it.vms.join(", ")), cell("", &it.how)];
        let shared = match self.shared.is_empty() {
            true => "<p>Nothing.</p>\n".to_owned(),
            false => table(&["what", "by", "how"], self.shared.iter().map(shared)),
        };
        let channel = |it: &super::Channel| vec![cell("", &it.what), cell("", &it.effect)];
        let channels = match self.channels.is_empty() {
            true => "<p>None: there is one VM.</p>\n".to_owned(),
            false => table(&["through", "what can happen"], self.channels.iter().map(channel)),
        };
        [
            ("Images", images),
            ("Who can touch what", resources),
            ("What is shared", shared),
            ("Interference that remains", channels),
        ]
        .map(|(title, body)| format!("<section>\n<h2>{title}</h2>\n<div class=\"scroll\">{body}</div>\n</section>\n"))
        .concat()
    }
}

fn vm(vm: &Vm, index: usize) -> String {
    let area = |area: &super::Area| {
        vec![
            cell("code number", &format!("{:#x}", area.start)),
            cell("number", &size(area.bytes)),
            cell("code", area.access),
            cell(if area.inside { "inside" } else { "" }, &area.name),
        ]
    };
    let interrupt = |it: &super::Interrupt| vec![cell("number", &it.line.to_string()), cell("", &it.from)];
    let seat = |seat: &super::Seat| {
        vec![
            cell("number", &seat.vcpu.to_string()),
            cell("number", &seat.pcpu.to_string()),
            cell("number", &seat.priority.to_string()),
            cell("", seat.policy),
        ]
    };
    let port = |it: &super::Ports| vec![cell("code number", &it.words()), cell("", &it.name)];
    let ports = match vm.ports.is_empty() {
        true => String::new(),
        false => table(&["ports", "what"], vm.ports.iter().map(port)),
    };
    let entry = vm.entry.map_or(String::new(), |entry| format!(", starts at <code>{entry:#x}</code>"));
    format!(
        "<section>\n<h3>{}</h3>\n<p class=\"lead\">{} of memory{entry}; {}</p>\n<div class=\"columns\">\n<div>{}</div>\n<div>\n{}{}{}</div>\n</div>\n</section>\n",
        escaped(&vm.name),
        size(vm.memory_bytes),
        escaped(&vm.life),
        picture::map(vm, index),
        table(&["address", "size", "access", "what"], vm.map.iter().map(area)),
        table(&["vCPU", "pCPU", "priority", "policy"], vm.vcpus.iter().map(seat)),
        ports + &table(&["line", "from"], vm.interrupts.iter().map(interrupt)),
    )
}

fn cell(class: &str, text: &str) -> String {
    match class {
        "" => format!("<td>{}</td>", escaped(text)),
        _ => format!("<td class=\"{class}\">{}</td>", escaped(text)),
    }
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let rows: String = rows.map(|cells| format!("<tr>{}</tr>\n", cells.concat())).collect();
    format!("<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
}
