/** `<crdc_series_uuid>/<crdc_instance_uuid>.dcm` → `<crdc_instance_uuid>`: what an object is called in its folder. */
export function instanceName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1, key.endsWith('.dcm') ? -4 : undefined);
}
