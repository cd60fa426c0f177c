//! What has to be looked at before a goal can be planned.

use crate::names::ProjectName;
use crate::planner::container;
use crate::planner::goal::Interest;
use crate::planner::image;
use crate::planner::preflight;
use crate::planner::stack::Stack;
use crate::resource::HostWish;
use crate::spec::model::Project;

/// For goals that create.
pub fn interest(project: &Project) -> Interest {
    let services = project.services.values().filter(|service| service.provider.is_none());
    let further = services.clone().flat_map(|service| image::further(project, service)).map(|(image, _)| (image, None));
    let own = services.map(|service| (project.image_of(service), container::platform(project, service)));
    Interest {
        project: project.name.clone(),
        images: further.chain(own).collect(),
        networks: project.networks.values().map(|network| network.name.clone()).collect(),
        volumes: project.volumes.values().map(|volume| volume.name.clone().into()).collect(),
        project_images: false,
        foreign: false,
        host: preflight::wish(project),
    }
}

/// For goals on what exists. Volumes are looked up by name because `down -v` removes what the files declare, whoever
/// made it, as docker compose does.
pub fn interest_in_stack(name: &ProjectName, stack: Option<&Stack>, images: bool) -> Interest {
    let services = stack.into_iter().flat_map(|stack| stack.services.values()).filter(|_| images);
    Interest {
        project: name.clone(),
        images: services.map(|service| (service.image.clone(), None)).filter(|(image, _)| !image.is_empty()).collect(),
        networks: Default::default(),
        volumes: stack.into_iter().flat_map(|stack| stack.volumes.iter().cloned()).collect(),
        project_images: images,
        foreign: false,
        host: HostWish::default(),
    }
}
