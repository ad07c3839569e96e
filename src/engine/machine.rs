//! What the machine is and has: names, threads, memory. Where the system does not tell (anything but Linux), the answer is absent rather than guessed.

use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

/// The machine, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Machine {
    pub(crate) host: Option<String>,
    /// E.g. `linux 6.8.0 x86_64`.
    pub(crate) os: String,
    /// The model's name, e.g. `AMD EPYC 7763 64-Core Processor`.
    pub(crate) cpu: Option<String>,
}

/// Looked up once in a process.
pub(crate) fn identity() -> &'static Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let kernel = head_of("/proc/sys/kernel/osrelease");
        let os = [Some(std::env::consts::OS.to_owned()), kernel, Some(std::env::consts::ARCH.to_owned())];
        let named = |name: &str| std::env::var(name).ok().filter(|host| !host.is_empty());
        Machine {
            host: head_of("/proc/sys/kernel/hostname").or_else(|| named("HOSTNAME")).or_else(|| named("COMPUTERNAME")),
            os: os.into_iter().flatten().collect::<Vec<_>>().join(" "),
            cpu: head_of("/proc/cpuinfo").and_then(|text| field(&text, "model name")),
        }
    })
}

/// Threads that can run at once; 1 where the system does not tell.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// Bytes of memory that this process may use: the machine's, or what its control group allows if that is less. `None` where the system does
/// not tell.
pub(crate) fn memory() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| meminfo_total(&text));
    let group = std::fs::read_to_string("/proc/self/cgroup").ok();
    let group = group.and_then(|text| group_limit(&text, Path::new("/sys/fs/cgroup")));
    match (machine, group) {
        (Some(machine), Some(group)) => Some(machine.min(group)),
        (machine, group) => machine.or(group),
    }
}

/// `MemTotal: 24625236 kB`, in bytes.
fn meminfo_total(text: &str) -> Option<u64> {
    Some(field(text, "MemTotal")?.strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The least limit of the group and of all groups around it: version 2 (`0::/a/b`, `memory.max`), else version 1 (`4:memory:/a/b`).
fn group_limit(groups: &str, root: &Path) -> Option<u64> {
    let least = |root: &Path, path: &str, file: &str| {
        let own = root.join(path.trim_start_matches('/'));
        let folders = own.ancestors().take_while(|folder| folder.starts_with(root));
        let limits = folders.filter_map(|folder| std::fs::read_to_string(folder.join(file)).ok());
        limits.filter_map(|text| text.trim().parse::<u64>().ok()).min()
    };
    groups
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            match (parts.next()?, parts.next()?) {
                ("", path) => least(root, path, "memory.max"),
                (controllers, path) if controllers.split(',').any(|name| name == "memory") => {
                    least(&root.join("memory"), path, "memory.limit_in_bytes")
                }
                _ => None,
            }
        })
        .min()
}

/// The first kilobytes of a text that the kernel makes up; its end is of no interest (`cpuinfo` of a large machine takes milliseconds).
pub(super) fn head_of(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(4096);
    std::fs::File::open(path).ok()?.take(4096).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The value of a line `name: value`.
pub(super) fn field(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_memory_and_its_groups_may_allow_less() {
        assert_eq!(meminfo_total("MemTotal:       24625236 kB\nMemFree: 1 kB\n"), Some(24_625_236 * 1024));
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("outer/inner")).unwrap();
        std::fs::write(root.join("outer/memory.max"), "3000\n").unwrap();
        std::fs::write(root.join("outer/inner/memory.max"), "max\n").unwrap();
        assert_eq!(group_limit("0::/outer/inner\n", root), Some(3000));
        assert_eq!(group_limit("0::/other\n", root), None);
        std::fs::create_dir_all(root.join("memory/job")).unwrap();
        std::fs::write(root.join("memory/job/memory.limit_in_bytes"), "7000").unwrap();
        assert_eq!(group_limit("5:cpu,memory:/job\n1:name=systemd:/\n", root), Some(7000));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_machine_has_a_name_and_a_system() {
        assert!(identity().host.is_some() && identity().os.starts_with("linux "), "{:?}", identity());
    }
}
