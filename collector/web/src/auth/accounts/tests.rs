use proptest::prelude::*;

use super::*;
use crate::auth::password::{self, Cost};

const NOW: u64 = 1_795_500_000_000;

fn account(name: &str, role: Role) -> Account {
    let provider = (role == Role::Provider).then(|| "telkom".to_owned());
    Account { title: format!("{name} of the office"), role, provider, ..field::blank(name, NOW - 1000) }
}

fn edit(name: &str) -> Edit {
    Edit { name: name.into(), ..Edit::default() }
}

fn added(name: &str, role: &str) -> Edit {
    Edit { add: true, title: Some("Siti Rahma".into()), role: Some(role.into()), ..edit(name) }
}

fn some(text: &str) -> Option<String> {
    Some(text.into())
}

/// The one problem.
fn problem(all: &[Account], edit: Edit, by: Option<&Account>) -> String {
    let problems = change(all, edit, by, NOW).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.concat()
}

fn office() -> Vec<Account> {
    let mut office = vec![
        account("admin", Role::Admin),
        account("ani", Role::Head),
        account("budi", Role::Member),
        account("telkom", Role::Provider),
    ];
    office[2].os_user = some("budi.s");
    office
}

#[test]
fn the_first_is_an_admin() {
    let first = change(&[], added("siti", "admin"), None, NOW).unwrap();
    assert_eq!((first[0].role, first[0].created_at, first[0].changed_at), (Role::Admin, NOW, NOW));
    assert_eq!(first[0].lang, "id");
    assert!(problem(&[], added("siti", "head"), None).starts_with("role: expected admin for the first account"));
    let disabled = Edit { disabled: Some(true), ..added("siti", "admin") };
    assert!(problem(&[], disabled, None).starts_with("role: expected admin for the first account"));
}

#[test]
fn all_problems_come_at_once() {
    let wrong = Edit {
        add: true,
        title: some(" "),
        role: some("boss"),
        email: some("siti@"),
        lang: some("nl"),
        os_user: some("a b"),
        provider: some("telkom"),
        ..edit("si ti")
    };
    let problems = change(&office(), wrong, None, NOW).unwrap_err();
    let keys: Vec<&str> = problems.iter().filter_map(|problem| problem.split_once(':')).map(|(key, _)| key).collect();
    assert_eq!(keys, ["name", "title", "role", "lang", "email", "os_user", "provider"], "{problems:#?}");
    let problems = change(&office(), Edit { add: true, ..edit("siti") }, None, NOW).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn names_and_users_are_nobody_elses() {
    let office = office();
    for taken in ["budi", "Budi"] {
        let said = problem(&office, added(taken, "member"), Some(&office[0]));
        assert_eq!(said, "name: there is an account budi already; expected another name");
    }
    let said = problem(&office, Edit { os_user: some("budi.s"), ..edit("ani") }, Some(&office[0]));
    assert_eq!(said, "os_user: budi.s is budi's; expected one that is no other account's");
    let own = Edit { os_user: some("budi.s"), ..edit("budi") };
    assert!(change(&office, own, Some(&office[0]), NOW).is_ok(), "it is budi's own");
    let gone = change(&office, Edit { os_user: some(""), ..edit("budi") }, Some(&office[0]), NOW).unwrap();
    assert_eq!(gone[0].os_user, None);
    assert!(problem(&office, edit("nobody"), None).starts_with("name: there is no account \"nobody\""));
}

#[test]
fn the_last_enabled_admin_stays() {
    let mut office = office();
    let disabled = Edit { disabled: Some(true), ..edit("admin") };
    let demoted = Edit { role: some("member"), ..edit("admin") };
    for edit in [&disabled, &demoted] {
        let said = problem(&office, edit.clone(), None);
        assert_eq!(said, "admin: is the last enabled admin; expected to leave at least one");
    }
    office.push(account("second", Role::Admin));
    for edit in [&disabled, &demoted] {
        assert!(change(&office, edit.clone(), None, NOW).is_ok());
    }
    office[4].disabled = true;
    assert!(change(&office, demoted, None, NOW).is_err(), "one that is disabled is none");
}

#[test]
fn nobody_changes_their_own_role_or_goes_alone() {
    let mut office = office();
    office.push(account("second", Role::Admin));
    let own = &office[0];
    let said = problem(&office, Edit { role: some("head"), ..edit("admin") }, Some(own));
    assert!(said.starts_with("role: expected another admin"), "{said}");
    let said = problem(&office, Edit { disabled: Some(true), ..edit("admin") }, Some(own));
    assert!(said.starts_with("disabled: expected another admin"), "{said}");
    assert!(change(&office, Edit { role: some("head"), ..edit("second") }, Some(own), NOW).is_ok());
    assert!(change(&office, Edit { role: some("admin"), ..edit("admin") }, Some(own), NOW).is_ok(), "no change");
}

#[test]
fn people_change_their_own_password_language_and_codes() {
    let office = office();
    let hashed = password::new("budi", "kuda laut di Selat Sunda", [1; 16], Cost::CHEAP).unwrap();
    let seed = Seed::new([2; 20]);
    let personal =
        Edit { password: Some(hashed.clone()), lang: some("en"), codes: Codes::Use { seed, step: 59 }, ..edit("budi") };
    assert_eq!(personal.what(), "language, password, one-time codes");
    let budi = change(&office, personal.clone(), Some(&office[2]), NOW).unwrap().remove(0);
    assert_eq!((budi.password, budi.lang.as_str(), budi.totp, budi.totp_last), (Some(hashed), "en", Some(seed), 59));
    assert_eq!((budi.created_at, budi.changed_at, budi.role), (NOW - 1000, NOW, Role::Member));

    assert!(problem(&office, personal, Some(&office[1])).starts_with("ani has the role head"), "another's");
    let more = [
        Edit { email: some("budi@office.example"), ..edit("budi") },
        Edit { codes: Codes::Forget, ..edit("budi") },
        Edit { title: some("Raja"), ..edit("budi") },
    ];
    for edit in more {
        assert!(problem(&office, edit, Some(&office[2])).starts_with("budi has the role member"));
    }
}

#[test]
fn one_that_is_disabled_changes_nothing() {
    let mut office = office();
    office.push(Account { disabled: true, ..account("gone", Role::Admin) });
    let said = problem(&office, Edit { lang: some("en"), ..edit("budi") }, Some(&office[4]));
    assert_eq!(said, "account gone is disabled");
}

#[test]
fn a_provider_is_one_of_the_register() {
    let office = office();
    let said = problem(&office, added("isp", "provider"), None);
    assert!(said.starts_with("provider: is missing"), "{said}");
    let said = problem(&office, Edit { provider: some("a/b"), ..added("isp", "provider") }, None);
    assert!(said.starts_with("provider: expected 1 to 64 of"), "{said}");
    let isp = change(&office, Edit { provider: some("biznet"), ..added("isp", "provider") }, None, NOW).unwrap();
    assert_eq!(isp[0].provider.as_deref(), Some("biznet"));
    let other = change(&office, Edit { role: some("auditor"), ..edit("telkom") }, None, NOW).unwrap();
    assert_eq!((other[0].role, &other[0].provider), (Role::Auditor, &None), "it goes with the role");
}

#[test]
fn addresses_are_safe_in_a_header() {
    let office = office();
    let set = |email: &str| change(&office, Edit { email: some(email), ..edit("ani") }, None, NOW);
    for good in ["ani@office.example", "a+b.c@localhost", "ani@kantor-pusat.go.id"] {
        assert_eq!(set(good).unwrap()[0].email.as_deref(), Some(good));
    }
    for bad in ["ani", "@b", "a@", "a@b@c", "a@b\r\nBcc: c@d", "a@b, c@d", "A <a@b>", &format!("a@{}", "b".repeat(253))]
    {
        assert!(set(bad).is_err(), "{bad:?}");
    }
    assert_eq!(set("").unwrap()[0].email, None);
}

prop_compose! {
    fn edits()(
        name in prop::sample::select(vec!["admin", "Admin", "ani", "budi", "telkom", "siti", "a/b"]),
        add: bool,
        title in prop::option::of(".{0,4}"),
        role in prop::option::of(prop::sample::select(vec!["member", "head", "provider", "auditor", "admin", "boss"])),
        os_user in prop::option::of(prop::sample::select(vec!["", "root", "budi.s", "x"])),
        provider in prop::option::of(prop::sample::select(vec!["", "telkom", "/"])),
        disabled: Option<bool>,
    ) -> Edit {
        let [role, os_user, provider] = [role, os_user, provider].map(|text| text.map(str::to_owned));
        Edit { name: name.into(), add, title, role, os_user, provider, disabled, ..Edit::default() }
    }
}

proptest! {
    /// Whatever is asked, by whomever: what was true of all accounts still is.
    #[test]
    fn the_rules_hold_after_any_edits(asked in prop::collection::vec((edits(), any::<prop::sample::Index>()), 0..40)) {
        let mut all = office();
        for (edit, index) in asked {
            let by = all.get(index.index(all.len() + 1)).cloned();
            let Ok(changed) = change(&all, edit, by.as_ref(), NOW) else { continue };
            for account in changed {
                let old = all.iter().position(|one| one.name == account.name);
                if let (Some(by), Some(old)) = (&by, old.and_then(|at| all.get(at))) {
                    prop_assert!(may(by.role, Act::ManageAccounts) || by.name == account.name);
                    prop_assert!(by.name != account.name || old.role == account.role);
                }
                match old {
                    Some(at) => all[at] = account,
                    None => all.push(account),
                }
            }
            prop_assert!(all.iter().any(Account::is_enabled_admin));
            for (at, account) in all.iter().enumerate() {
                let others = all.iter().skip(at + 1);
                prop_assert!(others.clone().all(|other| !other.name.eq_ignore_ascii_case(&account.name)));
                prop_assert!(account.os_user.is_none() || others.clone().all(|other| other.os_user != account.os_user));
                prop_assert_eq!(account.role == Role::Provider, account.provider.is_some());
                prop_assert!(takar_shared::id::plain_name(&account.name).is_ok() && !account.title.trim().is_empty());
            }
        }
    }

    #[test]
    fn any_text_may_come(name in ".{0,70}", text in ".{0,300}", add: bool) {
        let all_fields = Edit {
            name,
            add,
            title: Some(text.clone()),
            role: Some(text.clone()),
            email: Some(text.clone()),
            lang: Some(text.clone()),
            os_user: Some(text.clone()),
            provider: Some(text),
            ..Edit::default()
        };
        let problems = change(&office(), all_fields, None, NOW).unwrap_err();
        prop_assert!(problems.iter().all(|problem| !problem.contains('\n')), "{problems:?}");
    }
}
