//! Configuration from the environment. Invariant: read once, at the start; nothing else reads it.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use rollcall_commands::post::{SmtpConfig, TelephoneConfig};

use crate::{
    gateway::ROLES,
    http::{Trust, TrustByRole, TrustedDocuments},
    proxies::TrustedProxies,
    witness::WitnessConfig,
};

/// In whose name mail is sent where `ROLLCALL_MAIL_FROM` says nothing.
const MAIL_FROM: &str = "Rollcall <rollcall@localhost>";

/// What the service is told by its environment and command line.
#[derive(Clone, Debug)]
pub struct Config {
    /// `DATABASE_URL`: an external server; unset means the managed one.
    pub database_url: Option<String>,
    /// `ROLLCALL_DATA_DIR`.
    pub data_dir: Option<PathBuf>,
    /// `ROLLCALL_LISTEN`, default 127.0.0.1:8080.
    pub listen: SocketAddr,
    /// `ROLLCALL_PUBLIC_URL`: how people reach the service; the beginning of every link.
    pub public_url: String,
    /// `ROLLCALL_ENV=production`.
    pub production: bool,
    /// `ROLLCALL_ALLOW_MANAGED=1`.
    pub allow_managed: bool,
    /// `--demo`: seed demo tenants; implies the development aids.
    pub demo: bool,
    /// `--dev`: mailbox and clock under `/dev`.
    pub dev: bool,
    /// `ROLLCALL_TENANT_HOSTS`: `host=slug` pairs, comma separated.
    pub tenant_hosts: BTreeMap<String, String>,
    /// `ROLLCALL_TRUSTED_PROXIES`: addresses and networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// `ROLLCALL_SMTP_URL` and `ROLLCALL_MAIL_FROM`; unset means the local mailbox.
    pub smtp: Option<SmtpConfig>,
    /// `ROLLCALL_TELEPHONE_URL` and `ROLLCALL_TELEPHONE_FROM`; unset means the local mailbox.
    pub telephone: Option<TelephoneConfig>,
    /// `ROLLCALL_TRUSTED_DOCUMENTS`, a file, and `ROLLCALL_TRUST`: `off`, `prefer` or `require`, with
    /// others for some roles as in `require,OA=prefer,PA=off`.
    pub trusted_documents: TrustedDocuments,
    /// `ROLLCALL_WITNESSES`: `url key` pairs, comma separated; each signs the log's heads as well.
    pub witnesses: Vec<WitnessConfig>,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{name}={value} cannot be used: {reason}")]
    Invalid { name: &'static str, value: String, reason: String },
    #[error(
        "--demo and --dev open a mailbox and a clock to everybody; they are refused with ROLLCALL_ENV=production"
    )]
    DevelopmentInProduction,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// The setting at fault and what it takes.
    pub fn from_env(demo: bool, dev: bool) -> Result<Self, ConfigError> {
        Self::from(|name| std::env::var(name).ok().filter(|value| !value.is_empty()), demo, dev)
    }

    fn from(
        setting: impl Fn(&'static str) -> Option<String>,
        demo: bool,
        dev: bool,
    ) -> Result<Self, ConfigError> {
        let production = setting("ROLLCALL_ENV").is_some_and(|value| value == "production");
        if production && (demo || dev) {
            return Err(ConfigError::DevelopmentInProduction);
        }
        let listen = setting("ROLLCALL_LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let listen: SocketAddr = listen.parse().map_err(|_| ConfigError::Invalid {
            name: "ROLLCALL_LISTEN",
            value: listen.clone(),
            reason: "give an address and port, e.g. 127.0.0.1:8080".to_owned(),
        })?;
        let public_url = setting("ROLLCALL_PUBLIC_URL")
            .map_or_else(|| format!("http://{listen}"), |url| url.trim_end_matches('/').to_owned());
        Ok(Self {
            database_url: setting("DATABASE_URL"),
            data_dir: setting("ROLLCALL_DATA_DIR").map(PathBuf::from),
            listen,
            public_url,
            production,
            allow_managed: setting("ROLLCALL_ALLOW_MANAGED").is_some_and(|value| value == "1"),
            demo,
            dev: dev || demo,
            tenant_hosts: hosts(&setting("ROLLCALL_TENANT_HOSTS").unwrap_or_default())?,
            trusted_proxies: proxies(setting("ROLLCALL_TRUSTED_PROXIES"))?,
            smtp: setting("ROLLCALL_SMTP_URL").map(|url| SmtpConfig {
                url,
                from: setting("ROLLCALL_MAIL_FROM").unwrap_or_else(|| MAIL_FROM.to_owned()),
            }),
            telephone: setting("ROLLCALL_TELEPHONE_URL").map(|url| TelephoneConfig {
                url,
                from: setting("ROLLCALL_TELEPHONE_FROM").unwrap_or_default(),
            }),
            trusted_documents: trusted_documents(
                setting("ROLLCALL_TRUSTED_DOCUMENTS"),
                setting("ROLLCALL_TRUST"),
            )?,
            witnesses: witnesses(setting("ROLLCALL_WITNESSES"))?,
        })
    }
}

fn proxies(setting: Option<String>) -> Result<TrustedProxies, ConfigError> {
    let Some(value) = setting else { return Ok(TrustedProxies::default()) };
    TrustedProxies::read(&value).map_err(|reason| ConfigError::Invalid {
        name: "ROLLCALL_TRUSTED_PROXIES",
        value,
        reason,
    })
}

fn witnesses(setting: Option<String>) -> Result<Vec<WitnessConfig>, ConfigError> {
    let Some(value) = setting else { return Ok(Vec::new()) };
    WitnessConfig::read(&value).map_err(|reason| ConfigError::Invalid {
        name: "ROLLCALL_WITNESSES",
        value,
        reason,
    })
}

fn trusted_documents(
    file: Option<String>,
    trust: Option<String>,
) -> Result<TrustedDocuments, ConfigError> {
    let trust = trust.as_deref().map_or(Ok(TrustByRole::default()), trust_by_role)?;
    let Some(file) = file else {
        if trust.is_off() {
            return Ok(TrustedDocuments::default());
        }
        return Err(ConfigError::Invalid {
            name: "ROLLCALL_TRUSTED_DOCUMENTS",
            value: String::new(),
            reason: "ROLLCALL_TRUST needs the file that lists the documents".to_owned(),
        });
    };
    let invalid = |reason: String| ConfigError::Invalid {
        name: "ROLLCALL_TRUSTED_DOCUMENTS",
        value: file.clone(),
        reason,
    };
    let json = std::fs::read(&file).map_err(|error| invalid(error.to_string()))?;
    TrustedDocuments::read(&json, trust).map_err(|error| invalid(error.to_string()))
}

fn trust_by_role(setting: &str) -> Result<TrustByRole, ConfigError> {
    let invalid = || ConfigError::Invalid {
        name: "ROLLCALL_TRUST",
        value: setting.to_owned(),
        reason: format!(
            "give off, prefer or require, then ROLE=mode for roles with another one, separated by \
             commas; roles are {}",
            ROLES.join(", ")
        ),
    };
    let mode = |word: &str| match word {
        "off" => Ok(Trust::Off),
        "prefer" => Ok(Trust::Prefer),
        "require" => Ok(Trust::Require),
        _ => Err(invalid()),
    };
    let mut words = setting.split(',').map(str::trim);
    let mut trust = TrustByRole::from(mode(words.next().unwrap_or_default())?);
    for word in words {
        let (name, word) = word.split_once('=').ok_or_else(invalid)?;
        let role = ROLES.into_iter().find(|role| *role == name).ok_or_else(invalid)?;
        if trust.of_role.insert(role, mode(word)?).is_some() {
            return Err(invalid());
        }
    }
    Ok(trust)
}

fn hosts(pairs: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    pairs
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((host, slug)) if !host.is_empty() && !slug.is_empty() => {
                Ok((host.to_ascii_lowercase(), slug.to_owned()))
            }
            Some(_) | None => Err(ConfigError::Invalid {
                name: "ROLLCALL_TENANT_HOSTS",
                value: pair.to_owned(),
                reason: "give host=slug pairs separated by commas".to_owned(),
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(settings: &'static [(&'static str, &'static str)]) -> Result<Config, ConfigError> {
        let find = |name| {
            settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Config::from(find, false, true)
    }

    #[test]
    fn defaults_listen_on_loopback_and_links_lead_there() {
        let config = with(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.public_url, "http://127.0.0.1:8080");
    }

    #[test]
    fn development_aids_are_refused_in_production() {
        let refused = with(&[("ROLLCALL_ENV", "production")]).unwrap_err();
        assert!(matches!(refused, ConfigError::DevelopmentInProduction));
    }

    #[test]
    fn a_bad_setting_is_named_with_what_it_takes() {
        let error = with(&[("ROLLCALL_LISTEN", "nowhere")]).unwrap_err().to_string();
        assert!(error.contains("ROLLCALL_LISTEN=nowhere") && error.contains("127.0.0.1:8080"));
        assert!(with(&[("ROLLCALL_TENANT_HOSTS", "a.example")]).is_err());
        let error = with(&[("ROLLCALL_TRUST", "always")]).unwrap_err().to_string();
        assert!(error.contains("ROLLCALL_TRUST=always") && error.contains("require"), "{error}");
        let error = with(&[("ROLLCALL_TRUST", "require")]).unwrap_err().to_string();
        assert!(error.contains("ROLLCALL_TRUSTED_DOCUMENTS"), "{error}");
        for wrong in ["off,NA=require", "off,PA", "PA=off", "off,PA=never", "off,PA=off,PA=require"]
        {
            let error = trust_by_role(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains("OA"), "{error}");
        }
        let trust = trust_by_role("require, OA=prefer,PA=off").unwrap();
        assert_eq!((trust.otherwise, trust.of_role["OA"]), (Trust::Require, Trust::Prefer));
        let error = with(&[("ROLLCALL_TRUST", "off,AN=require")]).unwrap_err().to_string();
        assert!(error.contains("ROLLCALL_TRUSTED_DOCUMENTS"), "{error}");
        let hosts = with(&[("ROLLCALL_TENANT_HOSTS", "A.example=one, b.example=two")]).unwrap();
        assert_eq!(hosts.tenant_hosts["a.example"], "one");
    }
}
