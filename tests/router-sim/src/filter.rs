//! `/ip firewall filter`, as far as FastTrack goes: forwarded packets of established connections pass over the queues
//! while an enabled rule says `fasttrack-connection`.

use crate::{
    refusal::Refusal,
    row::Fields,
    select::{Attributes, Item, changes, selected, selected_only},
    shaper::Packets,
    values::read_bool,
};

#[derive(Clone, Debug)]
pub struct Filter {
    rules: Vec<Rule>,
    fasttracked: Packets,
    /// What was forwarded otherwise.
    slow: Packets,
}

#[derive(Clone, Debug)]
struct Rule {
    id: u32,
    action: &'static str,
    connection_state: &'static str,
    comment: &'static str,
    /// Made by the router, which adds it as soon as there is a rule that fasttracks; it stays until a reboot.
    dynamic: bool,
    disabled: bool,
}

impl Filter {
    /// What MikroTik's default configuration says of established connections, with its FastTrack rule or without.
    pub fn new(fasttrack: bool) -> Self {
        let rule = |id, action, connection_state, comment, dynamic| Rule {
            id,
            action,
            connection_state,
            comment,
            dynamic,
            disabled: false,
        };
        let accept =
            rule(2, "accept", "established,related,untracked", "defconf: accept established,related,untracked", false);
        let mut rules = vec![accept];
        if fasttrack {
            rules.insert(0, rule(1, FASTTRACK, "established,related", "defconf: fasttrack", false));
            rules.insert(0, rule(3, "passthrough", "", "special dummy rule to show fasttrack counters", true));
        }
        Self { rules, fasttracked: Packets(0), slow: Packets(0) }
    }

    /// Whether packets pass over the queues. A real router goes on for the connections that it fasttracked before such
    /// a rule was disabled; here it ends at once.
    pub fn fasttracks(&self) -> bool {
        self.rules.iter().any(|rule| rule.action == FASTTRACK && !rule.disabled)
    }

    pub fn fasttracked(&self) -> Packets {
        self.fasttracked
    }

    /// What was forwarded in one step.
    pub fn count(&mut self, forwarded: Packets) {
        let counter = if self.fasttracks() { &mut self.fasttracked } else { &mut self.slow };
        counter.0 = counter.0.saturating_add(forwarded.0);
    }

    /// Takes `disabled` alone.
    pub fn set(&mut self, attributes: &Attributes) -> Result<(), Refusal> {
        let mut wanted = None;
        for (argument, value) in changes(attributes) {
            match argument {
                "disabled" => wanted = Some(read_bool(value).ok_or_else(|| Refusal::BadValue(argument.to_owned()))?),
                _ => return Err(Refusal::UnknownParameter(argument.to_owned())),
            }
        }
        let positions = selected(&self.rules, attributes)?;
        wanted.map_or(Ok(()), |disabled| self.disable(&positions, disabled))
    }

    /// `enable` and `disable`.
    pub fn set_disabled(&mut self, attributes: &Attributes, disabled: bool) -> Result<(), Refusal> {
        let positions = selected_only(&self.rules, attributes)?;
        self.disable(&positions, disabled)
    }

    /// Every rule as `print` shows it. Fasttracked packets are counted by the dynamic rule alone, and each other packet
    /// by both of the others (MikroTik manual, "Common Firewall Matchers and Actions", Stats).
    pub fn fields(&self) -> Vec<Fields> {
        let fields = self.rules.iter().map(|rule| {
            let counted = if rule.dynamic { self.fasttracked } else { self.slow };
            let mut fields: Fields = vec![
                (".id", format!("*{:X}", rule.id)),
                ("chain", "forward".to_owned()),
                ("action", rule.action.to_owned()),
            ];
            if !rule.connection_state.is_empty() {
                fields.push(("connection-state", rule.connection_state.to_owned()));
            }
            fields.extend([
                ("bytes", counted.bytes().to_string()),
                ("packets", counted.0.to_string()),
                ("invalid", "false".to_owned()),
                ("dynamic", rule.dynamic.to_string()),
                ("disabled", rule.disabled.to_string()),
                ("comment", rule.comment.to_owned()),
            ]);
            fields
        });
        fields.collect()
    }

    /// `/ip settings`, of which the last three tell of FastTrack (terraform-provider-routeros,
    /// resource_ip_settings.go).
    pub fn settings(&self) -> Fields {
        let text = |text: &str| text.to_owned();
        vec![
            ("ip-forward", text("true")),
            ("send-redirects", text("true")),
            ("accept-source-route", text("false")),
            ("rp-filter", text("no")),
            ("tcp-syncookies", text("false")),
            ("allow-fast-path", text("true")),
            ("ipv4-fast-path-active", text("false")),
            ("ipv4-fast-path-packets", text("0")),
            ("ipv4-fast-path-bytes", text("0")),
            ("ipv4-fasttrack-active", self.fasttracks().to_string()),
            ("ipv4-fasttrack-packets", self.fasttracked.0.to_string()),
            ("ipv4-fasttrack-bytes", self.fasttracked.bytes().to_string()),
        ]
    }

    fn disable(&mut self, positions: &[usize], disabled: bool) -> Result<(), Refusal> {
        if positions.iter().any(|at| self.rules.get(*at).is_some_and(|rule| rule.dynamic)) {
            return Err(Refusal::Dynamic);
        }
        for at in positions {
            if let Some(rule) = self.rules.get_mut(*at) {
                rule.disabled = disabled;
            }
        }
        Ok(())
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::new(false)
    }
}

/// A rule has no name; only its number selects it.
impl Item for Rule {
    fn id(&self) -> u32 {
        self.id
    }
    fn name(&self) -> &str {
        ""
    }
}

const FASTTRACK: &str = "fasttrack-connection";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::attributes;

    fn shown(filter: &Filter, id: &str, field: &str) -> String {
        let row = filter.fields().into_iter().find(|row| row.contains(&(".id", id.to_owned()))).unwrap();
        row.into_iter().find(|(held, _)| *held == field).unwrap().1
    }

    #[test]
    fn fasttracked_packets_are_counted_by_the_dynamic_rule_and_the_settings() {
        let mut filter = Filter::new(true);
        assert_eq!(shown(&filter, "*3", "comment"), "special dummy rule to show fasttrack counters");
        filter.count(Packets(4));
        filter.set_disabled(&attributes(&[(".id", "*1")]), true).unwrap();
        filter.count(Packets(2));
        assert_eq!(["*3", "*1", "*2"].map(|id| shown(&filter, id, "packets")), ["4", "2", "2"]);
        let settings = filter.settings();
        assert!(settings.contains(&("ipv4-fasttrack-active", "false".to_owned())));
        assert!(settings.contains(&("ipv4-fasttrack-bytes", "5000".to_owned())));
    }

    #[test]
    fn only_rules_that_somebody_made_can_be_disabled() {
        let mut filter = Filter::new(true);
        assert_eq!(filter.set(&attributes(&[(".id", "*1,*3"), ("disabled", "yes")])), Err(Refusal::Dynamic));
        assert!(filter.fasttracks());
        assert_eq!(filter.set(&attributes(&[(".id", "*1"), ("disabled", "yes")])), Ok(()));
        assert!(!filter.fasttracks());
        assert_eq!(filter.set(&attributes(&[(".id", "*9"), ("disabled", "yes")])), Err(Refusal::NoSuchItem));
        let refused = filter.set(&attributes(&[(".id", "*1"), ("action", "drop")]));
        assert_eq!(refused, Err(Refusal::UnknownParameter("action".to_owned())));
        assert!(!Filter::default().fasttracks() && Filter::default().fields().len() == 1);
    }
}
