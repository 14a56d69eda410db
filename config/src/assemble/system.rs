//! Assembly of all VMs together: the board, their names, their CPUs, their memory.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use model::{Hpa, PAGE_BYTES, Region};
use sha2::{Digest, Sha256};

use super::files::{Files, Images};
use super::guest::{self, Given, Guest};
use super::passing::Passing;
use super::{Architecture, Assembly, AssumedBoard, Board, cpus, home, life, unread};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::language::{self, Host};
use crate::source::Sources;
use crate::spec::VmSpec;
use crate::{Request, spec::Span};

/// Every variable that a qvm file named, and what it was.
type UsedEnv = BTreeMap<String, Option<String>>;

/// Reads, checks and assembles what `request` names. `env` answers `$env{NAME}`.
///
/// The assembly is there only without errors; the diagnostics may hold warnings and notes all the same.
pub fn assemble(request: &Request, env: &dyn Fn(&str) -> Option<String>) -> (Option<Assembly>, Diagnostics, Sources) {
    check(request, Images::Read, env)
}

/// The same, with or without the files that `load` names. Without them the assembly holds what is known, to be shown and
/// not to be built: no images, no entry.
pub fn check(
    request: &Request,
    images: Images,
    env: &dyn Fn(&str) -> Option<String>,
) -> (Option<Assembly>, Diagnostics, Sources) {
    let (mut diagnostics, mut sources, mut used_env) = (Diagnostics::new(), Sources::new(), UsedEnv::new());
    let board = board(request);
    let variant = board.as_ref().map_err(Clone::clone).and_then(|board| variant(board, request));
    if let Err(message) = &variant {
        diagnostics.push(Diagnostic::error(codes::BOARD, message));
    }
    let specs = read(request, env, board.as_ref().ok(), &mut sources, &mut diagnostics, &mut used_env);
    let assembly = board.ok().zip(variant.ok()).and_then(|(board, assumed)| {
        let tree = tree(request, &board, &assumed, &mut diagnostics);
        let configuration = configuration(&board, &assumed, tree.as_ref(), &sources, request, &used_env);
        let passing = Passing::new(&board, assumed.memory_bytes, tree.as_ref().map(|(_, bytes)| bytes.as_slice()));
        let passing = passing
            .map_err(|error| diagnostics.push(Diagnostic::error(codes::BOARD, format!("its device tree: {error}"))));
        let mut assembly = system(&board, assumed, passing.ok()?, &specs, images, &sources, &mut diagnostics)?;
        assembly.configuration = configuration;
        let qvm_files = sources.iter().filter(|source| source.is_file()).map(|source| source.path().to_owned());
        let board_files = [Board::file(&request.root, &board.name)].into_iter().chain(tree.map(|(path, _)| path));
        assembly.inputs.splice(..0, qvm_files.chain(board_files));
        assembly.env = used_env.into_keys().collect();
        Some(assembly)
    });
    (assembly.filter(|_| !diagnostics.has_errors()), diagnostics, sources)
}

/// Every text that `request` names, with the files that they pull in. What is wrong with them is [`assemble`]'s to say.
pub fn texts(request: &Request, env: &dyn Fn(&str) -> Option<String>) -> Sources {
    let mut sources = Sources::new();
    let board = board(request).ok();
    read(request, env, board.as_ref(), &mut sources, &mut Diagnostics::new(), &mut UsedEnv::new());
    sources
}

/// What each VM's words say, of those that have no error.
fn read(
    request: &Request,
    env: &dyn Fn(&str) -> Option<String>,
    board: Option<&Board>,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
    used_env: &mut UsedEnv,
) -> Vec<VmSpec> {
    // Without a board, which was reported, the usual one is as good as any.
    let architecture = board.map_or(Architecture::Aarch64, |board| board.architecture);
    let host = Host { env, architecture, regions: board.map(|board| &board.regions), consoles: &request.consoles };
    let vms = request.vms.iter();
    vms.filter_map(|vm| language::parse(sources, &request.root, vm, &host, diagnostics, used_env)).collect()
}

/// The board that `request` names, with the regions that it adds.
fn board(request: &Request) -> Result<Board, String> {
    let mut board = Board::load(&request.root, &request.board)?;
    board.regions.extend(request.regions.clone());
    Ok(board)
}

/// The variant of the board that was asked for. The error says which there are.
fn variant(board: &Board, request: &Request) -> Result<AssumedBoard, String> {
    let cpus = request.cpus.unwrap_or(board.cpus.default);
    if !(board.cpus.min..=board.cpus.max).contains(&cpus) {
        let (min, max) = (board.cpus.min, board.cpus.max);
        return Err(format!("board `{}` comes with {min} to {max} CPUs, not with {cpus}", board.name));
    }
    let memory_bytes = request.memory_bytes.unwrap_or(board.memory.default);
    if !(board.memory.min..=board.memory.max).contains(&memory_bytes) {
        let [min, max, asked] = [board.memory.min, board.memory.max, memory_bytes].map(size);
        return Err(format!("board `{}` comes with {min} to {max} of RAM, not with {asked}", board.name));
    }
    let controller = board.controller(request.gic)?;
    let on_failure = request.on_failure.unwrap_or(board.on_failure);
    let regions = board.regions.values();
    let regions = regions.map(|region| Region { start: Hpa(region.start), size_bytes: region.length_bytes });
    let mut regions: Vec<Region> = regions.collect();
    regions.sort_by_key(|region| region.start);
    Ok(AssumedBoard { name: board.name.clone(), controller, cpus, memory_bytes, on_failure, regions })
}

/// The board's device tree, if it has one: its file and what is in it.
fn tree(
    request: &Request,
    board: &Board,
    assumed: &AssumedBoard,
    diagnostics: &mut Diagnostics,
) -> Option<(PathBuf, Vec<u8>)> {
    let path = board.tree(&request.root, assumed.controller)?;
    match std::fs::read(&path) {
        Ok(bytes) => Some((path, bytes)),
        Err(error) => {
            let message = format!("{}: {error}", path.display());
            diagnostics.push(Diagnostic::error(codes::BOARD, message));
            None
        }
    }
}

fn system(
    board: &Board,
    assumed: AssumedBoard,
    mut passing: Passing,
    specs: &[VmSpec],
    images: Images,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Assembly> {
    let vms = named(specs, sources, diagnostics);
    life::check(&vms, diagnostics);
    let places = cpus::assign(&vms, assumed.cpus, diagnostics);
    let given = Given {
        controller: assumed.controller,
        cpu: board.architecture.cpu(),
        pages_kib: &board.cpus.pages_kib,
        sources,
    };
    let mut files = Files::new(images);
    let mut guests = Vec::new();
    let mut whole = true;
    for ((name, spec), places) in vms.iter().zip(places) {
        match guest::assemble(name, spec, places, &given, &mut passing, &mut files, diagnostics) {
            Some(guest) => guests.push((guest, *spec)),
            None => whole = false,
        }
    }
    if images == Images::Absent {
        unread::note(specs, diagnostics);
    }
    if !whole {
        return None;
    }
    check_memory(board, &assumed, &guests, &files, diagnostics);
    let mut assembly = Assembly {
        board: assumed,
        configuration: [0; 32],
        vms: Vec::new(),
        blobs: files.blobs,
        trees: Vec::new(),
        acpi: Vec::new(),
        inputs: files.inputs,
        env: Vec::new(),
        fdt_dumps: Vec::new(),
        dryrun: specs.iter().any(|spec| spec.dryrun),
    };
    for (Guest { vm, tree, acpi }, spec) in guests {
        if let Some(tree) = tree {
            let index = assembly.trees.len();
            assembly.trees.push((vm.name.clone(), tree));
            assembly.fdt_dumps.extend(spec.fdt_dump_file.iter().map(|path| (path.value.clone(), index)));
        }
        assembly.acpi.extend((!acpi.is_empty()).then(|| (vm.name.clone(), acpi)));
        assembly.vms.push(vm);
    }
    Some(assembly)
}

/// Each VM with its name: what `system` says, or else the file's name without its extension. Words have no file.
fn named<'a>(specs: &'a [VmSpec], sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<(String, &'a VmSpec)> {
    let mut firsts: HashMap<String, Span> = HashMap::new();
    let mut vms = Vec::new();
    for spec in specs {
        let name = match &spec.system {
            Some(system) => system.value.clone(),
            None => {
                let file = sources.get(spec.file).filter(|source| source.is_file());
                let stem = file.and_then(|file| file.path().file_stem());
                let stem = stem.unwrap_or_default().to_string_lossy().into_owned();
                let message = match (file, language::name_problem(&stem)) {
                    (None, _) => Some("this VM has no file to be called by".to_owned()),
                    (_, Some(problem)) => {
                        Some(format!("this VM cannot be called by its file: the name `{stem}` {problem}"))
                    }
                    (_, None) => None,
                };
                if let Some(message) = message {
                    let error = Diagnostic::error(codes::UNNAMED, message).at(home(spec));
                    diagnostics.push(error.hint("name it: begin with `system NAME`"));
                }
                stem
            }
        };
        if let Some(&first) = firsts.get(&name).filter(|_| !name.is_empty()) {
            let error = Diagnostic::error(codes::DUPLICATE_VM, format!("two VMs are called `{name}`"));
            let hint = "give one of them another name by a first line `system NAME`";
            diagnostics.push(error.at(home(spec)).label(first, "first called so here").hint(hint));
        }
        firsts.entry(name.clone()).or_insert(home(spec));
        vms.push((name, spec));
    }
    vms
}

/// Whether the board's RAM holds all VMs, their images and Ostler itself.
fn check_memory(
    board: &Board,
    assumed: &AssumedBoard,
    guests: &[(Guest, &VmSpec)],
    files: &Files,
    diagnostics: &mut Diagnostics,
) {
    let images: u64 = files.blobs.iter().map(|blob| (blob.bytes.len() as u64).next_multiple_of(PAGE_BYTES)).sum();
    let of_vm = |guest: &Guest| guest.vm.memory.iter().map(|memory| memory.size_bytes).sum::<u64>();
    let vms: u64 = guests.iter().map(|(guest, _)| of_vm(guest)).sum();
    let regions: u64 = assumed.regions.iter().map(|region| region.size_bytes).sum();
    let ostler = board.memory.ostler.saturating_add(regions);
    let asked = vms.saturating_add(images).saturating_add(ostler);
    if asked <= assumed.memory_bytes {
        return;
    }
    let (has, ostler) = (size(assumed.memory_bytes), size(ostler));
    let message = format!(
        "the board has {has} of RAM and {} are asked for: {} by VMs, {} for their images, {ostler} by Ostler",
        size(asked),
        size(vms),
        size(images),
    );
    let hint = "make a VM smaller, or start the board with more RAM (`--memory`)";
    let mut error = Diagnostic::error(codes::TOO_MUCH_MEMORY, message).hint(hint);
    for (index, (guest, spec)) in guests.iter().enumerate() {
        let Some(largest) = spec.memory.iter().max_by_key(|memory| memory.size_bytes.value) else { continue };
        if index == 0 {
            error = error.at(largest.span);
        }
        error = error.label(largest.span, format!("VM `{}` asks for {}", guest.vm.name, size(of_vm(guest))));
    }
    diagnostics.push(error);
}

/// A number of bytes for people: in whole GiB, in MiB, or in KiB below one.
fn size(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes.div_ceil(1 << 10)),
        0x4000_0000.. if bytes.is_multiple_of(1 << 30) => format!("{} GiB", bytes >> 30),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}

/// SHA-256 over everything that was read but the images, whose hashes are in their table. Paths do not count, so that
/// two clones of one tree agree: a file is called by its place under the root, or by its name if it is elsewhere.
fn configuration(
    board: &Board,
    assumed: &AssumedBoard,
    tree: Option<&(PathBuf, Vec<u8>)>,
    sources: &Sources,
    request: &Request,
    env: &UsedEnv,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |field: &[u8]| {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    };
    add(board.name.as_bytes());
    add(&board.sha256);
    add(tree.map_or(&[], |(_, bytes)| bytes.as_slice()));
    add(&assumed.cpus.to_le_bytes());
    add(&assumed.memory_bytes.to_le_bytes());
    add(assumed.controller.to_string().as_bytes());
    add(assumed.on_failure.word().as_bytes());
    for (name, region) in &board.regions {
        add(name.as_bytes());
        add(&region.start.to_le_bytes());
        add(&region.length_bytes.to_le_bytes());
    }
    // So that a list does not run into what follows it.
    add(&(request.consoles.len() as u64).to_le_bytes());
    request.consoles.iter().for_each(|console| add(console.as_bytes()));
    for source in sources.iter() {
        let inside = source.path().strip_prefix(&request.root).ok().map(Path::as_os_str);
        let name = inside.or(source.path().file_name()).unwrap_or_default();
        add(name.as_encoded_bytes());
        add(source.bytes());
    }
    for (name, value) in env {
        add(name.as_bytes());
        add(value.as_deref().unwrap_or("\0").as_bytes());
    }
    hash.finalize().into()
}
