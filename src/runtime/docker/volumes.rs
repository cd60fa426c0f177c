//! Volumes.

use async_trait::async_trait;
use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::RemoveVolumeOptions;
use serde::Deserialize;

use crate::names::VolumeName;
use crate::resource::{Texts, Volume, VolumeSpec};
use crate::runtime::docker::DockerRuntime;
use crate::runtime::docker::create::map;
use crate::runtime::docker::found::nullable;
use crate::runtime::docker::wire::{Call, segment};
use crate::runtime::{LabelFilter, Result, Volumes};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Found {
    name: String,
    driver: String,
    mountpoint: String,
    scope: String,
    #[serde(deserialize_with = "nullable")]
    labels: Texts,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "Volumes", default, deserialize_with = "nullable")]
    volumes: Vec<Found>,
}

impl From<Found> for Volume {
    fn from(found: Found) -> Self {
        let Found { name, driver, mountpoint, scope, labels } = found;
        Self { name: VolumeName::new(name), driver, mountpoint, scope, labels }
    }
}

#[async_trait]
impl Volumes for DockerRuntime {
    async fn list_volumes(&self, filter: &LabelFilter) -> Result<Vec<Volume>> {
        let mut call = Call::get("/volumes");
        if !filter.0.is_empty() {
            call = call.query("filters", &serde_json::json!({ "label": filter.0 }).to_string());
        }
        let listed: Listed = self.ask(call, "list volumes").await?;
        let mut volumes: Vec<Volume> = listed.volumes.into_iter().map(Volume::from).collect();
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(volumes)
    }

    async fn find_volume(&self, name: &VolumeName) -> Result<Option<Volume>> {
        let call = Call::get(format!("/volumes/{}", segment(name.as_str())));
        match self.ask::<Found>(call, &format!("inspect volume {name}")).await {
            Ok(found) => Ok(Some(Volume::from(found))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_volume(&self, spec: &VolumeSpec) -> Result<Volume> {
        let VolumeSpec { name, driver, options, labels } = spec;
        let request = VolumeCreateRequest {
            name: Some(name.to_string()),
            driver: driver.clone(),
            driver_opts: map(options),
            labels: map(labels),
            cluster_volume_spec: None,
        };
        let found: Found =
            self.ask(Call::post("/volumes/create").json(&request), &format!("create volume {name}")).await?;
        Ok(Volume::from(found))
    }

    async fn remove_volume(&self, name: &VolumeName) -> Result<()> {
        let options = RemoveVolumeOptions { force: false };
        let removed = self.session().await?.client.remove_volume(name.as_str(), Some(options)).await;
        removed.map_err(self.failed(format!("remove volume {name}")))
    }
}
