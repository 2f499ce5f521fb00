//! Who may call the SOAP services: HTTP Basic accounts (contract 02 section 2.1).

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// An account of an organisation, `OrgUsr<organisation number>` by custom (rule ); any name is accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// User name; must not hold a colon.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Account {
    /// Leaves the password out.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Account")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The accounts by user name.
#[derive(Debug, Default)]
pub(crate) struct Accounts(HashMap<String, Account>);

impl Accounts {
    pub(crate) fn new(accounts: Vec<Account>) -> Self {
        let mut all = Self::default();
        accounts.into_iter().for_each(|account| all.add(account));
        all
    }

    /// Adds an account, or gives an existing one a new password.
    pub(crate) fn add(&mut self, account: Account) {
        self.0.insert(account.user.clone(), account);
    }

    pub(crate) fn remove(&mut self, user: &str) -> bool {
        self.0.remove(user).is_some()
    }

    /// The user that an `Authorization` header proves, if it does.
    pub(crate) fn authenticate(&self, authorization: &str) -> Option<&str> {
        let (scheme, encoded) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Basic") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        let account = self.0.get(user)?;
        (account.password == password).then_some(account.user.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts::new(vec![Account {
            user: "OrgUsr310900109".into(),
            password: "a:b".into(),
        }])
    }

    fn header(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn only_the_right_pair_is_let_in() {
        let accounts = accounts();
        let user = |header: &str| accounts.authenticate(header).map(str::to_owned);
        assert_eq!(
            user(&header("OrgUsr310900109:a:b")).as_deref(),
            Some("OrgUsr310900109")
        );
        assert_eq!(user(&header("OrgUsr310900109:a")), None);
        assert_eq!(user(&header("orgusr310900109:a:b")), None);
        assert_eq!(user("Basic !!!"), None);
        assert_eq!(user("Bearer x"), None);
        assert_eq!(user(""), None);
    }

    #[test]
    fn a_new_password_replaces_the_old() {
        let mut accounts = accounts();
        accounts.add(Account {
            user: "OrgUsr310900109".into(),
            password: "new".into(),
        });
        assert!(
            accounts
                .authenticate(&header("OrgUsr310900109:a:b"))
                .is_none()
        );
        assert!(
            accounts
                .authenticate(&header("OrgUsr310900109:new"))
                .is_some()
        );
        assert!(accounts.remove("OrgUsr310900109"));
        assert!(
            accounts
                .authenticate(&header("OrgUsr310900109:new"))
                .is_none()
        );
    }
}
