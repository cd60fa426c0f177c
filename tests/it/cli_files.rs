//! Commands that carry files and images: cp, export, commit, push.

use crate::cli::World;

const SHOP: &str = "
name: shop
services:
  web: {image: 'shop.example/web:1', build: {context: ., tags: ['shop.example/web:2']}, scale: 2}
  db: {image: postgres:15}
";

async fn running() -> World {
    let world = World::new(SHOP, &["shop.example/web:1", "shop.example/web:2", "postgres:15"]);
    world.run("up -d").await;
    world
}

#[tokio::test]
async fn files_go_into_every_replica_and_come_out_again() {
    let world = running().await;
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().display().to_string();
    std::fs::create_dir(directory.path().join("site")).unwrap();
    std::fs::write(directory.path().join("site/index"), "hello").unwrap();
    let shown = |text: String| text.replace(&here, "[DIR]");
    let copied = shown(world.run(&format!("--progress plain cp {here}/site/. web:/var")).await);
    for number in [1, 2] {
        assert!(
            copied.contains(&format!(" shop-web-{number} copy [DIR]/site/. to shop-web-{number}:/var Copied")),
            "{copied}"
        );
    }
    insta::assert_snapshot!(shown(world.run(&format!("--progress plain cp --index 2 web:/var/index {here}/out")).await), @"
    $ compose --progress plain cp --index 2 web:/var/index [DIR]/out
    stderr:
     shop-web-2 copy shop-web-2:/var/index to [DIR]/out Copying
     shop-web-2 copy shop-web-2:/var/index to [DIR]/out Copied
    ");
    assert_eq!(std::fs::read(directory.path().join("out")).unwrap(), b"hello");
    insta::assert_snapshot!(shown(world.run(&format!("--dry-run cp {here}/site db:/tmp")).await), @"
    $ compose --dry-run cp [DIR]/site db:/tmp
    stderr:
     DRY-RUN MODE -  shop-db-1 copy [DIR]/site to shop-db-1:/tmp Copying
     DRY-RUN MODE -  shop-db-1 copy [DIR]/site to shop-db-1:/tmp Copied
    ");
    assert!(world.run(&format!("cp db:/tmp/site {here}/nothing")).await.contains("exit 1"));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_has_no_place_is_told() {
    let world = running().await;
    let mut told = String::new();
    for line in ["cp web:/a db:/b", "cp a b", "cp nobody:/a .", "cp --index 9 web:/a .", "cp web:/no/such /tmp"] {
        told.push_str(&world.run(&format!("--progress quiet {line}")).await);
    }
    insta::assert_snapshot!(told, @r#"
    $ compose --progress quiet cp web:/a db:/b
    stderr:
    copying between services is not supported
    exit 1
    $ compose --progress quiet cp a b
    stderr:
    unknown copy direction
     hint: one of the two paths is inside a container: SERVICE:PATH
    exit 1
    $ compose --progress quiet cp nobody:/a .
    stderr:
    no container found for service "nobody"
    exit 1
    $ compose --progress quiet cp --index 9 web:/a .
    stderr:
    service "web" is not running container #9
    exit 1
    $ compose --progress quiet cp web:/no/such /tmp
    stderr:
    failed to look at /no/such in container shop-web-1: Could not find the file /no/such in container shop-web-1
    exit 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_container_becomes_an_image_or_an_archive() {
    let world = running().await;
    insta::assert_snapshot!(world.run("--progress plain commit --index 2 -m note web saved:1").await, @"
    $ compose --progress plain commit --index 2 -m note web saved:1
    stderr:
     shop-web-2 Commit shop-web-2 Committing
     shop-web-2 Commit shop-web-2 Committed as sha256:[ID]
    ");
    insta::assert_snapshot!(world.run("--dry-run commit web other:1").await, @"
    $ compose --dry-run commit web other:1
    stderr:
     DRY-RUN MODE -  shop-web-1 Commit shop-web-1 Committing
     DRY-RUN MODE -  shop-web-1 Commit shop-web-1 Committed
    ");
    insta::assert_snapshot!(world.run("--progress plain export nobody").await, @r#"
    $ compose --progress plain export nobody
    stderr:
    service "nobody" is not running
    exit 1
    "#);
    insta::assert_snapshot!(world.run("--progress plain export -o /no/such/file web").await, @r#"
    $ compose --progress plain export -o /no/such/file web
    stderr:
     shop-web-1 export shop-web-1 to /no/such/file Exporting
     shop-web-1 export shop-web-1 to /no/such/file Error
    failed to export container: invalid output path: directory "/no/such" does not exist
    exit 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn images_that_are_built_here_are_pushed() {
    let world = running().await;
    insta::assert_snapshot!(world.run("--progress plain push").await, @"
    $ compose --progress plain push
    stderr:
     db  Skipped
     Image shop.example/web:1  Pushing
     Image shop.example/web:2  Pushing
     Image shop.example/web:1  Pushed
     Image shop.example/web:2  Pushed
    ");
    insta::assert_snapshot!(world.run("--dry-run push web").await, @"
    $ compose --dry-run push web
    stderr:
     DRY-RUN MODE -  Image shop.example/web:1  Pushing
     DRY-RUN MODE -    because: as asked
     DRY-RUN MODE -  Image shop.example/web:1  Pushed
     DRY-RUN MODE -  Image shop.example/web:2  Pushing
     DRY-RUN MODE -    because: as asked
     DRY-RUN MODE -  Image shop.example/web:2  Pushed
    ");
    let world = World::new(SHOP, &["shop.example/web:1"]);
    insta::assert_snapshot!(world.run("--progress plain push web").await, @"
    $ compose --progress plain push web
    stderr:
     Image shop.example/web:1  Pushing
     Image shop.example/web:2  Pushing
     Image shop.example/web:1  Pushed
     Image shop.example/web:2  Error
    failed to push image shop.example/web:2: An image does not exist locally with the tag: shop.example/web:2
    exit 1
    ");
    insta::assert_snapshot!(world.run("--progress plain push --ignore-push-failures web").await, @"
    $ compose --progress plain push --ignore-push-failures web
    stderr:
     Image shop.example/web:1  Pushing
     Image shop.example/web:2  Pushing
     Image shop.example/web:1  Pushed
     Image shop.example/web:2 Warning failed to push image shop.example/web:2: An image does not exist locally with the tag: shop.example/web:2
    ");
}
