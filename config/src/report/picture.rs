//! The pictures: a VM's address space, the board's CPUs and its RAM.
//!
//! Address spaces hold 4 KiB beside 4 GiB, so no true scale shows them. A map is cut at every address where something begins or ends;
//! the height of a piece grows with the logarithm of its length, and what belongs to nobody is drawn as a break.

use super::svg::{Svg, cut};
use super::{Area, Board, Vm, size};

/// Width of a map: addresses, boxes, names.
const MAP_WIDTH: f64 = 470.0;
const BOX_LEFT: f64 = 102.0;
const BOX_WIDTH: f64 = 120.0;
const INSET: f64 = 14.0;
const TEXT_LEFT: f64 = BOX_LEFT + BOX_WIDTH + 12.0;
/// Enough for a line of text, so that labels never overlap.
const LEAST_HEIGHT: f64 = 20.0;
const MOST_HEIGHT: f64 = 76.0;
const BREAK_HEIGHT: f64 = 26.0;
const TOP: f64 = 12.0;

/// A run of addresses in which nothing begins or ends.
struct Piece<'a> {
    start: u64,
    end: u64,
    /// What it belongs to.
    outer: Option<&'a Area>,
    /// What lies in it.
    inner: Option<&'a Area>,
}

impl Piece<'_> {
    fn height(&self) -> f64 {
        match self.outer {
            None => BREAK_HEIGHT,
            // 4 KiB is the least; each doubling adds a little.
            Some(_) => {
                let doublings = f64::from((self.end - self.start).max(4096).ilog2()) - 12.0;
                (LEAST_HEIGHT + 3.0 * doublings).min(MOST_HEIGHT)
            }
        }
    }
}

fn pieces(map: &[Area]) -> Vec<Piece<'_>> {
    let end = |area: &Area| area.start.saturating_add(area.bytes);
    let mut cuts: Vec<u64> = map.iter().flat_map(|area| [area.start, end(area)]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let covers = |inside: bool, start: u64| {
        map.iter().find(move |area| area.inside == inside && area.start <= start && start < end(area))
    };
    let piece = |pair: &[u64]| match pair {
        [start, end] => {
            Some(Piece { start: *start, end: *end, outer: covers(false, *start), inner: covers(true, *start) })
        }
        _ => None,
    };
    cuts.windows(2).filter_map(piece).collect()
}

/// The address space of `vm`, the lowest address at the top.
pub(super) fn map(vm: &Vm, index: usize) -> String {
    let pieces = pieces(&vm.map);
    let mut svg = Svg::new();
    let mut y = TOP;
    let mut last_end = None;
    for piece in &pieces {
        let height = piece.height();
        if piece.outer.is_some() || last_end.is_some() {
            svg.text("address", (BOX_LEFT - 8.0, y + 4.0), format!("{:#x}", piece.start));
        }
        let bytes = size(piece.end - piece.start);
        match piece.outer {
            None => {
                let (left, right, middle) = (BOX_LEFT, BOX_LEFT + BOX_WIDTH, y + height / 2.0);
                svg.path("break", &zigzag(left, right, middle - 3.0));
                svg.path("break", &zigzag(left, right, middle + 3.0));
                svg.text("quiet", (TEXT_LEFT, middle + 4.0), format!("nothing, {bytes}"));
            }
            Some(outer) => {
                let tip = format!("{}: {:#x} to {:#x}, {bytes}", outer.name, piece.start, piece.end - 1);
                svg.rect(outer.kind.word(), (BOX_LEFT, y), (BOX_WIDTH, height), &tip);
                let label = match piece.inner {
                    Some(inner) => {
                        let tip = format!("{}: {:#x} to {:#x}, {bytes}", inner.name, piece.start, piece.end - 1);
                        svg.rect(inner.kind.word(), (BOX_LEFT + INSET, y), (BOX_WIDTH - 2.0 * INSET, height), &tip);
                        cut(&inner.name, 20)
                    }
                    None if outer.kind.is_memory() => outer.name.clone(),
                    None => cut(&outer.name, 20),
                };
                svg.text("name", (TEXT_LEFT, y + height / 2.0 + 4.0), format!("{label}, {bytes}"));
            }
        }
        last_end = Some(piece.end);
        y += height;
    }
    if let Some(end) = last_end {
        svg.text("address", (BOX_LEFT - 8.0, y + 4.0), format!("{end:#x}"));
    }
    let title = format!("Address space of VM {}", vm.name);
    svg.finish(&format!("map{index}"), (MAP_WIDTH, y + TOP), &title, &described(&vm.map))
}

impl super::AreaKind {
    fn is_memory(self) -> bool {
        matches!(self, super::AreaKind::Ram | super::AreaKind::Rom)
    }
}

/// A map in words.
fn described(map: &[Area]) -> String {
    let area = |area: &Area| {
        let (start, bytes, name) = (area.start, size(area.bytes), &area.name);
        if area.inside {
            format!("in it {name} at {start:#x}, {bytes}")
        } else {
            format!("{name} at {start:#x}, {bytes}")
        }
    };
    map.iter().map(area).collect::<Vec<_>>().join("; ")
}

/// A torn edge.
fn zigzag(left: f64, right: f64, y: f64) -> String {
    let mut d = format!("M{left:.1} {y:.1}");
    let steps = 12_u32;
    for step in 1..=steps {
        let x = left + (right - left) * f64::from(step) / f64::from(steps);
        let y = if step % 2 == 1 { y - 3.0 } else { y + 3.0 };
        d.push_str(&format!(" L{x:.1} {y:.1}"));
    }
    d
}

/// Height of a vCPU's box.
const SEAT_HEIGHT: f64 = 34.0;
const CPU_WIDTH: f64 = 150.0;
const CPU_GAP: f64 = 12.0;
/// CPUs in a row.
const ROW: usize = 4;

/// The pCPUs with the vCPUs on them.
pub(super) fn cpus(board: &Board) -> String {
    let mut svg = Svg::new();
    let mut y = 0.0;
    for row in board.cpus.chunks(ROW) {
        let seats = row.iter().map(|cpu| cpu.vcpus.len()).max().unwrap_or(0).max(1);
        let height = 26.0 + seats as f64 * (SEAT_HEIGHT + 4.0) + 4.0;
        for (column, cpu) in row.iter().enumerate() {
            let x = column as f64 * (CPU_WIDTH + CPU_GAP) + 1.0;
            svg.rect("frame", (x, y + 1.0), (CPU_WIDTH, height), &format!("pCPU {}", cpu.pcpu));
            svg.text("name", (x + 8.0, y + 19.0), format!("pCPU {}", cpu.pcpu));
            if cpu.vcpus.is_empty() {
                svg.text("quiet", (x + 8.0, y + 46.0), "idle");
            }
            for (index, seat) in cpu.vcpus.iter().enumerate() {
                let top = y + 26.0 + index as f64 * (SEAT_HEIGHT + 4.0);
                let tip = format!("{} vCPU {}: priority {}, {}", seat.vm, seat.vcpu, seat.priority, seat.policy);
                svg.rect(&owner(Some(seat.vm_index)), (x + 6.0, top), (CPU_WIDTH - 12.0, SEAT_HEIGHT), &tip);
                svg.text("name", (x + 12.0, top + 14.0), format!("{} vCPU {}", cut(&seat.vm, 10), seat.vcpu));
                svg.text("quiet", (x + 12.0, top + 28.0), format!("{}, {}", seat.priority, seat.policy));
            }
        }
        y += height + CPU_GAP;
    }
    let words = |cpu: &super::Pcpu| {
        let seats: Vec<String> = cpu.vcpus.iter().map(|seat| format!("{} vCPU {}", seat.vm, seat.vcpu)).collect();
        format!("pCPU {}: {}", cpu.pcpu, if seats.is_empty() { "idle".into() } else { seats.join(", ") })
    };
    let description = board.cpus.iter().map(words).collect::<Vec<_>>().join("; ");
    let columns = board.cpus.len().clamp(1, ROW) as f64;
    let width = columns * (CPU_WIDTH + CPU_GAP) - CPU_GAP + 2.0;
    svg.finish("cpus", (width, (y - CPU_GAP + 2.0).max(1.0)), "The board's CPUs and who runs on them", &description)
}

const BAR_WIDTH: f64 = 640.0;
const BAR_HEIGHT: f64 = 34.0;
const LEGEND_ROW: f64 = 22.0;

/// The board's RAM: a bar to scale, and who has how much of it.
pub(super) fn memory(board: &Board) -> String {
    let mut svg = Svg::new();
    let total = board.memory_bytes.max(1) as f64;
    let mut x = 1.0;
    for share in &board.memory {
        let width = (BAR_WIDTH - 2.0) * share.bytes as f64 / total;
        let class = owner(share.vm).replace("other", &format!("share-{}", share.owner.to_lowercase()));
        svg.rect(&class, (x, 1.0), (width, BAR_HEIGHT), &format!("{}: {}", share.owner, size(share.bytes)));
        let (left, column_width) = (1.0, BAR_WIDTH / 2.0);
        let index = board.memory.iter().position(|other| std::ptr::eq(other, share)).unwrap_or(0);
        let legend_x = left + (index % 2) as f64 * column_width;
        let legend_y = BAR_HEIGHT + 14.0 + (index / 2) as f64 * LEGEND_ROW;
        svg.rect(&class, (legend_x, legend_y), (14.0, 14.0), &share.owner);
        svg.text(
            "name",
            (legend_x + 22.0, legend_y + 12.0),
            format!("{}, {}", cut(&share.owner, 26), size(share.bytes)),
        );
        x += width;
    }
    let rows = board.memory.len().div_ceil(2) as f64;
    let words = board.memory.iter().map(|share| format!("{} {}", share.owner, size(share.bytes)));
    let description = words.collect::<Vec<_>>().join("; ");
    let height = BAR_HEIGHT + 14.0 + rows * LEGEND_ROW;
    svg.finish("ram", (BAR_WIDTH, height), "The board's RAM and whose it is", &description)
}

/// The class of a VM's colour; there are eight, in turn.
fn owner(vm: Option<usize>) -> String {
    vm.map_or("other".to_owned(), |index| format!("vm{}", index % 8))
}
