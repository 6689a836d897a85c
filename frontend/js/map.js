// Turns every <div class="rf-map"> into a map. What it shows comes from the page: the basemap's
// files, zones, a trail, and the table of wearers that says the same in words.
import { Attribution, defaults as defaultControls, ScaleLine } from "ol/control";
import { createEmpty, extend, getWidth, isEmpty } from "ol/extent";
import Map from "ol/Map";
import { fromLonLat } from "ol/proj";
import View from "ol/View";
import { basemap } from "./map/basemap.js";
import { showPopups } from "./map/popup.js";
import { trailLayers } from "./map/trail.js";
import { wearerLayers } from "./map/wearers.js";
import { zoneLayers } from "./map/zones.js";

const LARGEST_ZONE_M = 10_000;
const LONDON = fromLonLat([-0.1, 51.505]);

function fit(map, extents, maxZoom) {
  const whole = extents.reduce((sum, one) => extend(sum, one), createEmpty());
  if (isEmpty(whole)) return;
  map.getView().fit(whole, { padding: [48, 48, 48, 48], maxZoom, duration: 0 });
}

function extentsOf(element, trail, zones) {
  const [all, marked, zone] = [trail.extent(), trail.markedExtent(), zones.extent()];
  if (isEmpty(all)) return [zone];
  if (element.dataset.fit !== "zones") return [all];
  // An alert's zone belongs in the picture, unless it is so large that the event would vanish.
  const event = isEmpty(marked) ? all : marked;
  return getWidth(zone) < LARGEST_ZONE_M ? [event, zone] : [event];
}

async function draw(element) {
  const map = new Map({
    target: element,
    controls: defaultControls({ attribution: false, rotate: false }).extend([
      new ScaleLine({ units: "metric" }),
      new Attribution({ collapsible: false }),
    ]),
    layers: basemap(element.dataset),
    view: new View({ center: LONDON, zoom: 10.6, minZoom: 8, maxZoom: 19 }),
  });
  element.olMap = map; // For the browser tests.
  const zones = zoneLayers(element.dataset);
  zones.layers.forEach((layer) => map.addLayer(layer));
  const trail = trailLayers(element.dataset);
  trail.layers.forEach((layer) => map.addLayer(layer));
  const wearers = wearerLayers(element.dataset);
  wearers.layers.forEach((layer) => map.addLayer(layer));
  showPopups(map, element);

  await Promise.allSettled([zones.ready, trail.ready]);
  if (element.dataset.trail) {
    fit(map, extentsOf(element, trail, zones), 16);
  } else if (element.dataset.wearers) {
    fit(map, [wearers.extent()], 14);
  }
  element.dataset.drawn = "true";
}

for (const element of document.querySelectorAll(".rf-map")) draw(element);
