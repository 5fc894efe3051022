//! What `takar-agent probe --json` printed of a device that nobody serves yet. Keys that are not known here are passed over.

use std::path::Path;

use serde::Deserialize;

use crate::register::files;

#[derive(Clone, Debug, Deserialize)]
pub struct Probe {
    pub target: String,
    #[serde(default)]
    pub identity: Identity,
    #[serde(default)]
    pub interfaces: Vec<Interface>,
    #[serde(default)]
    pub queues: Vec<Queue>,
    #[serde(default)]
    pub oddities: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Identity {
    pub sys_name: Option<String>,
    pub sys_descr: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Interface {
    pub if_name: Option<String>,
    pub if_descr: Option<String>,
    pub if_alias: Option<String>,
    pub high_speed_bps: Option<u64>,
    pub oper_status: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Queue {
    /// simple, tree, htb, cake
    pub kind: String,
    pub name: String,
    /// Of htb and cake the interface.
    pub target: Option<String>,
    pub direction: Option<String>,
    pub cir_bps: Option<u64>,
    pub mir_bps: Option<u64>,
    #[serde(default)]
    pub disabled: bool,
    #[serde(default)]
    pub dynamic: bool,
    #[serde(default)]
    pub invalid: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Many(Vec<Probe>),
    One(Box<Probe>),
}

/// One file: a probe, or a list of them.
pub fn read(path: &Path) -> Result<Vec<Probe>, String> {
    let bytes = files::bytes_of(path)?;
    let wrong = |error: &serde_json::Error| {
        format!("{}: {error}; expected what takar-agent probe --json prints", path.display())
    };
    match serde_json::from_slice(&bytes) {
        Ok(File::Many(probes)) => Ok(probes),
        Ok(File::One(probe)) => Ok(vec![*probe]),
        // Untagged, it could only say that neither fits.
        Err(_) => match serde_json::from_slice::<Probe>(&bytes) {
            Ok(probe) => Ok(vec![probe]),
            Err(error) => Err(wrong(&error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PROBE: &str = r#"{"target":"10.0.0.1:161","identity":{"sys_name":"core-1","sys_descr":"RouterOS","sys_object_id":"1.3"},
        "interfaces":[{"if_index":1,"if_name":"ether1","if_descr":"","if_alias":"WAN","if_type":6,"high_speed_bps":1000000000,
        "admin_status":"up","oper_status":"up","new":[1]}],"queues":[{"kind":"simple","name":"sd-02","target":"10.2.0.0/24",
        "direction":"down","cir_bps":null,"mir_bps":10000000,"disabled":false,"dynamic":true,"invalid":false}],"oddities":["x"]}"#;

    #[test]
    fn a_probe_or_a_list_of_them_is_read_and_what_is_new_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("probe.json");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path)
        };
        let probe = &read(PROBE).unwrap()[0];
        assert_eq!(
            (probe.interfaces[0].high_speed_bps, probe.queues[0].mir_bps),
            (Some(1_000_000_000), Some(10_000_000))
        );
        assert!(probe.queues[0].dynamic && probe.oddities == ["x"]);
        assert_eq!(read(&format!("[{PROBE},{PROBE}]")).unwrap().len(), 2);
        for wrong in ["", "[1]", "{\"target\":7}", "{}"] {
            let said = read(wrong).unwrap_err();
            assert!(said.starts_with(path.to_str().unwrap()) && said.ends_with("probe --json prints"), "{said}");
            assert!(!said.contains('\n'), "{said}");
        }
    }
}
