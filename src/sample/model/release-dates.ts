import type { Release } from './types.ts';

/** Day of each release (`YYYY-MM-DD`). */
export const RELEASE_DATES: Record<Release, string> = { 1: '2024-03-04', 2: '2025-03-03', 3: '2026-03-02' };
