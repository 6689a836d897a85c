// Metres and degrees on the map. Degrees of course become radians here and nowhere else.
import { circular } from "ol/geom/Polygon";
import { fromLonLat } from "ol/proj";

export const at = (lon, lat) => fromLonLat([lon, lat]);

export function circleOf(lon, lat, radius_m) {
  return circular([lon, lat], radius_m, 48).transform("EPSG:4326", "EPSG:3857");
}

export const radians = (course_deg) => (course_deg * Math.PI) / 180;
