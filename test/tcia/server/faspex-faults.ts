/** What can go wrong with a Faspex, seen at TCIA or told of it. Each is looked at anew for every request. */

/** Faults; none by default. */
export interface FaspexFaults {
  /** Every answer is a page with status 503. */
  maintenance?: boolean;
  /** So many requests to the API answer 503 first. */
  unavailable?: number;
  /** Answers of the API are pages with status 200. */
  pages?: boolean;

  /** No `authorize_public_link` (before 5.0.13): only the header `Passcode` opens. */
  oldServer?: boolean;
  /** The header `Passcode` is answered with 403, code 2009. */
  passcodeForbidden?: boolean;
  /** The link is refused with this text in `action_message`. */
  linkRefused?: string;
  /** Comes back as `state` instead of the context. */
  wrongState?: string;
  /** Where the code is sent instead of to this server. */
  foreignRedirect?: string;
  /** `auth/token` takes JSON only. */
  jsonTokenOnly?: boolean;
  /** A bearer token is good for so many requests to the API. */
  requestsPerToken?: number;
  /** Listing and transfer need `recipient_user_id` or `recipient_workgroup_id` where the package has recipients. */
  needsRecipient?: boolean;

  /** More rows than this in one listing answer 500. */
  failAbove?: number;
  /** No `/page`. */
  noPages?: boolean;
  /** The offset form answers 500 whatever is asked. */
  noOffsets?: boolean;
  /** Answers hold at most so many rows, whatever was asked for. */
  shortPages?: number;
  /** The offset form gives nothing beyond so many rows; its total is right. */
  endsAfter?: number;
  /** The offset form tells no total. */
  noTotal?: boolean;
  /** Added to the total. */
  totalOffBy?: number;
  /** After so many pages of `/page`, the token of the next one is missing. */
  losesToken?: number;
  /** The token of `/page` leads to the same page again. */
  repeatsPage?: boolean;
  /** Where `/page` looks for the token; default both. */
  tokenIn?: 'query' | 'body';
  nullSizes?: boolean;
  sizesAsText?: boolean;

  /** Paths that the package does not hold are refused when a transfer is asked for; by default they are authorised. */
  refusesUnknownPaths?: boolean;
  /** Sources come back in another order than the paths. */
  shufflesSources?: boolean;
}
