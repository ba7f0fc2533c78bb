export async function startLine() {
  return 'not there yet';
}
