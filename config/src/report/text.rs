//! The report as one page of text.

use super::{Area, Report, Vm, size};

impl Report {
    /// The page, for a terminal of about 100 columns.
    pub fn text(&self) -> String {
        let board = &self.board;
        let mut page = Page::default();
        page.title(&format!(
            "Board {}: {}, {} CPUs, {} of RAM at {:#x}",
            board.name,
            board.controller,
            board.cpus.len(),
            size(board.memory_bytes),
            board.memory_base
        ));
        page.line(&format!("{}; after a failure of Ostler it does a {}", board.description, board.on_failure));
        page.rows(
            board.memory.iter().map(|share| vec![share.owner.clone(), size(share.bytes)]),
            &[Align::Left, Align::Right],
        );
        page.rows(
            board.cpus.iter().map(|cpu| {
                let seat =
                    |seat: &super::Seat| format!("{} vCPU {} ({}, {})", seat.vm, seat.vcpu, seat.priority, seat.policy);
                let seats: Vec<String> = cpu.vcpus.iter().map(seat).collect();
                let seats = if seats.is_empty() { "idle".to_owned() } else { seats.join("; ") };
                vec![format!("pCPU {}", cpu.pcpu), seats]
            }),
            &[Align::Left, Align::Left],
        );
        self.vms.iter().for_each(|vm| self::vm(vm, &mut page));
        page.title("Images");
        match self.images.is_empty() {
            true => page.line("not read"),
            false => page.rows(
                self.images.iter().map(|image| {
                    let hash = format!("SHA-256 {}…", image.sha256.get(..12).unwrap_or(&image.sha256));
                    vec![image.name.clone(), image.kind.clone(), size(image.bytes), hash, image.vms.join(", ")]
                }),
                &[Align::Left, Align::Left, Align::Right, Align::Left, Align::Left],
            ),
        }
        page.title("Who can touch what");
        page.rows(
            self.resources.iter().map(|it| {
                let others = if it.others.is_empty() { "nobody else" } else { &it.others };
                vec![it.what.clone(), it.owner.clone(), others.to_owned()]
            }),
            &[Align::Left; 3],
        );
        page.title("What is shared");
        page.list(self.shared.iter().map(|it| format!("{} ({}): {}", it.what, it.vms.join(", "), it.how)));
        page.title("Interference that remains");
        page.list(self.channels.iter().map(|channel| format!("{}: {}", channel.what, channel.effect)));
        page.text
    }
}

fn vm(vm: &Vm, page: &mut Page) {
    let entry = vm.entry.map_or(String::new(), |entry| format!(", starts at {entry:#x}"));
    page.title(&format!(
        "VM {}: {} vCPU, {} of memory{entry}; {}",
        vm.name,
        vm.vcpus.len(),
        size(vm.memory_bytes),
        vm.life
    ));
    let area = |area: &Area| {
        let name = if area.inside { format!("  {}", area.name) } else { area.name.clone() };
        vec![format!("{:#x}", area.start), size(area.bytes), area.access.to_owned(), name]
    };
    page.rows(vm.map.iter().map(area), &[Align::Right, Align::Right, Align::Left, Align::Left]);
    if !vm.ports.is_empty() {
        let ports = vm.ports.iter().map(|it| format!("{} {}", it.words(), it.name));
        page.line(&format!("ports: {}", ports.collect::<Vec<_>>().join(", ")));
    }
    let interrupts = vm.interrupts.iter().map(|it| format!("{} {}", it.line, it.from));
    page.line(&format!("interrupts: {}", interrupts.collect::<Vec<_>>().join(", ")));
    let seat = |seat: &super::Seat| format!("{} on pCPU {} ({}, {})", seat.vcpu, seat.pcpu, seat.priority, seat.policy);
    page.line(&format!("vCPUs: {}", vm.vcpus.iter().map(seat).collect::<Vec<_>>().join(", ")));
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn title(&mut self, text: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        self.text.push_str(&format!("{gap}{text}\n"));
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(&format!("  {text}\n"));
    }

    fn list(&mut self, lines: impl Iterator<Item = String>) {
        let mut lines = lines.peekable();
        if lines.peek().is_none() {
            self.line("nothing");
        }
        lines.for_each(|line| self.line(&line));
    }

    /// A table, as wide as its cells.
    fn rows(&mut self, rows: impl Iterator<Item = Vec<String>>, align: &[Align]) {
        let rows: Vec<Vec<String>> = rows.collect();
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..align.len()).map(width).collect();
        for row in &rows {
            let cell = |((cell, width), align): ((&String, &usize), &Align)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            };
            let cells: Vec<String> = row.iter().zip(&widths).zip(align).map(cell).collect();
            self.line(cells.join("  ").trim_end());
        }
    }
}
