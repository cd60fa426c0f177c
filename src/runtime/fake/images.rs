//! Images of the fake, its registry and its builder.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream;

use crate::names::ImageId;
use crate::resource::{BuildProgress, BuildRequest, Builder, ImageDetails, LayerProgress, RegistryAuth, StepState};
use crate::runtime::fake::Fake;
use crate::runtime::fake::world::{World, hex, normal};
use crate::runtime::{Error, ErrorKind, Images, LabelFilter, Result, ResultStream};

#[async_trait]
impl Images for Fake {
    async fn find_image(&self, reference: &str, platform: Option<&str>) -> Result<Option<ImageDetails>> {
        let (wanted, platform) = (reference.to_owned(), platform.map(str::to_owned));
        self.look(format!("find image {reference}"), move |world| {
            let fits = |image: &&ImageDetails| platform.as_deref().is_none_or(|platform| is_for(image, platform));
            Ok(world.image(&wanted).filter(fits).cloned())
        })
        .await
    }

    async fn list_images(&self, filter: &LabelFilter) -> Result<Vec<ImageDetails>> {
        let filter = filter.clone();
        self.look("list images", move |world| {
            Ok(world.images.iter().filter(|image| filter.matches(&image.labels)).cloned().collect())
        })
        .await
    }

    async fn pull_image(
        &self,
        reference: &str,
        platform: Option<&str>,
        _auth: Option<&RegistryAuth>,
    ) -> Result<ResultStream<LayerProgress>> {
        let (wanted, platform) = (reference.to_owned(), platform.map(str::to_owned));
        let what = format!("pull image {reference}");
        let (remote, full) = self
            .change(what.clone(), move |world| {
                let full = normal(&wanted);
                let remote = world.remotes.get(&full).cloned();
                let remote =
                    remote.filter(|remote| platform.as_deref().is_none_or(|wanted| is_for(&remote.image, wanted)));
                let Some(remote) = remote else {
                    let detail = format!("manifest for {wanted} not found: manifest unknown: manifest unknown");
                    return Err(Error::new(ErrorKind::NotFound, what, detail));
                };
                if remote.takes.is_zero() {
                    world.name_image(remote.image.clone(), &full);
                }
                Ok((remote, full))
            })
            .await?;
        let layer = remote.image.id.as_str().trim_start_matches("sha256:").get(..12).unwrap_or("layer").to_owned();
        let progress = move |status: &str, current| LayerProgress {
            layer: layer.clone(),
            status: status.to_owned(),
            current,
            total: current.map(|_| 100),
        };
        let fake = self.clone();
        let begin = [Ok(progress("Pulling fs layer", None)), Ok(progress("Downloading", Some(50)))];
        let end = stream::once(async move {
            if !remote.takes.is_zero() {
                tokio::time::sleep(remote.takes).await;
                fake.inside(|world| world.name_image(remote.image, &full));
            }
            Ok(progress("Pull complete", None))
        });
        Ok(Box::pin(stream::iter(begin).chain(end)))
    }

    async fn push_image(&self, reference: &str, _auth: Option<&RegistryAuth>) -> Result<ResultStream<LayerProgress>> {
        let wanted = reference.to_owned();
        let what = format!("push image {reference}");
        self.change(what.clone(), move |world| match world.image(&wanted) {
            Some(_) => Ok(()),
            None => {
                let detail = format!("An image does not exist locally with the tag: {wanted}");
                Err(Error::new(ErrorKind::NotFound, what, detail))
            }
        })
        .await?;
        let pushed =
            LayerProgress { layer: "layer".to_owned(), status: "Pushed".to_owned(), current: None, total: None };
        Ok(Box::pin(stream::iter([Ok(pushed)])))
    }

    async fn registry_digest(&self, reference: &str, _auth: Option<&RegistryAuth>) -> Result<String> {
        let wanted = reference.to_owned();
        let what = format!("ask the registry for {reference}");
        self.look(what.clone(), move |world| match world.remotes.get(&normal(&wanted)) {
            Some(remote) => Ok(remote.image.id.to_string()),
            None => Err(Error::new(ErrorKind::NotFound, what, "manifest unknown: manifest unknown")),
        })
        .await
    }

    async fn build_image(&self, request: &BuildRequest, _builder: Builder) -> Result<ResultStream<BuildProgress>> {
        let request = request.clone();
        let what = format!("build image {}", request.tags.first().map_or("", String::as_str));
        let image = self
            .change(what.clone(), move |world| {
                let name = request.tags.first().cloned().unwrap_or_default();
                let image = match world.builds.get(&name) {
                    Some(image) => image.clone(),
                    None => built(world, &request),
                };
                for tag in request.tags.iter().rev() {
                    world.name_image(image.clone(), tag);
                }
                Ok(image.id)
            })
            .await?;
        let step = |state| BuildProgress::Step { id: "1".to_owned(), name: "[1/1] FROM scratch".to_owned(), state };
        let told = [
            Ok(BuildProgress::Context { sent: 512 }),
            Ok(step(StepState::Started)),
            Ok(BuildProgress::Output { id: "1".to_owned(), line: "building".to_owned(), milliseconds: Some(120) }),
            Ok(step(StepState::Done { milliseconds: 10 })),
            Ok(BuildProgress::Built { image }),
        ];
        Ok(Box::pin(stream::iter(told)))
    }

    async fn tag_image(&self, image: &ImageId, reference: &str) -> Result<()> {
        let (id, reference) = (image.clone(), reference.to_owned());
        let what = format!("tag image {image} as {reference}");
        self.change(what.clone(), move |world| {
            let Some(image) = world.image(id.as_str()).cloned() else {
                return Err(Error::new(ErrorKind::NotFound, what, format!("No such image: {id}")));
            };
            world.name_image(image, &normal(&reference));
            Ok(())
        })
        .await
    }

    async fn remove_image(&self, reference: &str) -> Result<()> {
        let wanted = reference.to_owned();
        let what = format!("remove image {reference}");
        self.change(what.clone(), move |world| {
            let Some(image) = world.image(&wanted).cloned() else {
                return Err(Error::new(ErrorKind::NotFound, what, format!("No such image: {wanted}")));
            };
            let is_last_name = image.tags.len() <= 1;
            let user = world.containers.values().find(|record| record.image_id == image.id);
            if let Some(user) = user.filter(|_| is_last_name) {
                let detail = format!(
                    "conflict: unable to remove repository reference \"{wanted}\" (must force) - container {} is using its referenced image",
                    user.id.short()
                );
                return Err(Error::new(ErrorKind::Conflict, what, detail));
            }
            if is_last_name || image.id.as_str() == wanted {
                world.images.retain(|other| other.id != image.id);
            } else if let Some(known) = world.images.iter_mut().find(|other| other.id == image.id) {
                let full = normal(&wanted);
                known.tags.retain(|tag| normal(tag) != full);
            }
            Ok(())
        })
        .await
    }
}

fn is_for(image: &ImageDetails, platform: &str) -> bool {
    let mut parts = platform.split('/');
    let os = parts.next().unwrap_or_default();
    let arch = parts.next();
    image.os == os && arch.is_none_or(|arch| image.arch == arch)
}

/// The same request gives the same image, as a builder with a cache does.
fn built(world: &World, request: &BuildRequest) -> ImageDetails {
    let text = format!("{:?} {:?} {:?} {:?}", request.context, request.dockerfile, request.args, request.target);
    ImageDetails {
        id: ImageId::new(format!("sha256:{}", hex(&text))),
        size: 1000,
        os: world.facts.os.clone(),
        arch: world.facts.arch.clone(),
        labels: request.labels.clone(),
        ..ImageDetails::default()
    }
}
