/** `<crdc_series_uuid>/<crdc_instance_uuid>.dcm` → `<crdc_instance_uuid>`: what an object is called in its folder. */
export function instanceName(key: string): string {
  return (key.split('/').at(-1) ?? key).replace(/\.dcm$/, '');
}
