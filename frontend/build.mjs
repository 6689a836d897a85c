// Builds the committed assets of the pages: minified CSS and JavaScript, no source maps, no fonts.
// Run through tools/build-assets, which also says what it made.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { compile, NodePackageImporter } from "sass";

const root = process.cwd();
const target = join(root, "src/ringfence/desk/kit/static/ringfence");
mkdirSync(target, { recursive: true });

const sheet = compile(join(root, "frontend/scss/ringfence.scss"), {
  style: "compressed",
  // A byte order mark in the middle of the sheet would swallow the rule after it.
  charset: false,
  // The Ministry's sheets name "node_modules/…" themselves, hence the root.
  loadPaths: [root, join(root, "node_modules")],
  importers: [new NodePackageImporter()],
  quietDeps: true,
});
const scripts = await build({
  entryPoints: { page: "frontend/js/page.js", map: "frontend/js/map.js" },
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2020"],
  legalComments: "none",
  outdir: target,
  logLevel: "warning",
  metafile: true,
});
const openlayers = readFileSync(join(root, "node_modules/ol/ol.css"), "utf8");
const style = await build({
  stdin: { contents: openlayers + sheet.css, loader: "css", resolveDir: root },
  minify: true,
  write: false,
});
writeFileSync(join(target, "ringfence.css"), style.outputFiles[0].text);

// Only the browser tests use axe; users never get it.
mkdirSync(join(root, "tests/browser"), { recursive: true });
copyFileSync(join(root, "node_modules/axe-core/axe.min.js"), join(root, "tests/browser/axe.min.js"));

for (const [file, { bytes }] of Object.entries(scripts.metafile.outputs)) {
  console.log(`${file}: ${Math.round(bytes / 1024)} KiB`);
}
console.log(`ringfence.css: ${Math.round(style.outputFiles[0].text.length / 1024)} KiB`);
