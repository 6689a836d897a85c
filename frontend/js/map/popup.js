// A click on a wearer or a fix says in words what stands there. The tables say it too, so that
// nobody needs a pointer.
import Overlay from "ol/Overlay";

function line(text) {
  const p = document.createElement("p");
  p.textContent = text;
  return p;
}

function wordsOf(feature) {
  const point = feature.get("point");
  const fix = feature.get("fix");
  if (point) {
    const link = document.createElement("a");
    link.className = "govuk-link";
    link.href = point.url;
    link.textContent = point.name;
    const head = document.createElement("p");
    head.append(link);
    return [head, line(point.state_text), line(point.fix_text)];
  }
  return fix ? [line(fix.at), line(fix.text), ...fix.remarks.map(line)] : null;
}

export function showPopups(map) {
  const box = document.createElement("div");
  box.className = "rf-popup";
  const overlay = new Overlay({ element: box, stopEvent: true, autoPan: { margin: 20 } });
  map.addOverlay(overlay);
  map.on("singleclick", (event) => {
    const words = map.forEachFeatureAtPixel(event.pixel, wordsOf, { hitTolerance: 6 });
    if (!words) {
      overlay.setPosition(undefined);
      return;
    }
    box.replaceChildren(...words);
    overlay.setPosition(event.coordinate);
  });
  map.on("pointermove", (event) => {
    const hit = map.hasFeatureAtPixel(event.pixel, {
      hitTolerance: 6,
      layerFilter: (layer) => layer.getZIndex() >= 20,
    });
    map.getTargetElement().style.cursor = hit ? "pointer" : "";
  });
}
