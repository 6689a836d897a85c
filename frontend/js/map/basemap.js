// London without the network: boroughs, the Thames, parks, rails, roads, names. Calm, so that what
// matters stands out.
import GeoJSON from "ol/format/GeoJSON";
import TileLayer from "ol/layer/Tile";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import XYZ from "ol/source/XYZ";
import { Fill, Stroke, Style, Text } from "ol/style";

const FONT = "Helvetica, Arial, sans-serif";
const HALO = new Stroke({ color: "rgba(255, 255, 255, 0.9)", width: 3 });
// Zoom from which the names of a rank appear.
const NAMES_FROM = { 1: 0, 2: 11.4, 3: 12.8 };
const SIZE = { 1: 13, 2: 12, 3: 11 };
const RAIL = "Rail © OpenStreetMap contributors.";
const BOROUGHS = "Boroughs: OS, ONS © Crown 2015.";

function layer(url, style, options = {}) {
  return new VectorLayer({
    source: new VectorSource({ url, format: new GeoJSON(), attributions: options.attributions }),
    style,
    updateWhileAnimating: true,
    updateWhileInteracting: true,
    ...options,
  });
}

const land = new Style({
  fill: new Fill({ color: "#f7f6f3" }),
  stroke: new Stroke({ color: "#c6c9cc", width: 1, lineDash: [6, 4] }),
});
const water = new Style({ fill: new Fill({ color: "#b5cfdf" }) });
const park = new Style({ fill: new Fill({ color: "#dde8d6" }) });

const railWidth = (zoom) => (zoom < 11 ? 1 : zoom < 14 ? 1.5 : 2.5);
const roadWidth = (zoom) => (zoom < 11 ? 1.2 : zoom < 13 ? 2.2 : 4);

function zoomOf(resolution) {
  return Math.log2(156543.03392804097 / resolution);
}

function lines(color, width) {
  return (_, resolution) =>
    new Style({ stroke: new Stroke({ color, width: width(zoomOf(resolution)) }) });
}

function named(feature, resolution) {
  const rank = feature.get("rank");
  if (zoomOf(resolution) < NAMES_FROM[rank]) return null;
  return new Style({
    text: new Text({
      text: feature.get("name"),
      font: `${rank === 1 ? "bold " : ""}${SIZE[rank]}px ${FONT}`,
      fill: new Fill({ color: rank === 1 ? "#383f43" : "#505a5f" }),
      stroke: HALO,
    }),
    zIndex: 10 - rank,
  });
}

function street(feature, resolution) {
  const zoom = zoomOf(resolution);
  const name = feature.get("name");
  return new Style({
    stroke: new Stroke({ color: "#d8d9da", width: zoom < 14 ? 1 : zoom < 16 ? 2.5 : 5 }),
    text:
      zoom >= 15 && name
        ? new Text({
            text: name,
            placement: "line",
            font: `11px ${FONT}`,
            fill: new Fill({ color: "#626a6e" }),
            stroke: HALO,
          })
        : undefined,
  });
}

export function basemap(data) {
  if (data.tiles) {
    return [
      new TileLayer({
        source: new XYZ({ url: data.tiles, attributions: data.tilesAttribution || undefined }),
      }),
    ];
  }
  return [
    layer(data.boroughs, land, { attributions: BOROUGHS }),
    layer(data.parks, park),
    layer(data.river, water),
    layer(data.streets, street, { minZoom: 12.5, declutter: true }),
    // Roads are drawn from memory: close up they would mislead.
    layer(data.roads, lines("#ead9b8", roadWidth), { maxZoom: 14 }),
    layer(data.rail, lines("#b9b3c9", railWidth), { attributions: RAIL }),
    layer(data.places, named, { declutter: true }),
  ];
}
