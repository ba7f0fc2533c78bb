export const again = async () => ({});
export const million = async () => ({});
