// What comes with the site: the artworks and the sample photos, each by its manifest.

import { Refused } from "./refused.js";

/**
 * A picture that comes with the site. Its name is its file's, without the suffix.
 * @typedef {{ name: string, title: string, manner: string, year: number, url: string, small: string }} Listed
 */

/**
 * Everything that the manifest of a folder lists.
 * @param {"artworks" | "samples"} folder
 * @returns {Promise<Listed[]>}
 */
export async function listed(folder) {
  const answer = await fetched(`${folder}/${folder}.json`, `The ${folder} could not be loaded.`);
  /** @type {{ file: string, title: string, manner: string, year: number }[]} */
  const entries = await answer.json();
  return entries.map(({ file, title, manner, year }) => ({
    name: file.replace(/\.[^.]*$/, ""),
    title,
    manner,
    year,
    url: `${folder}/${file}`,
    small: `${folder}/small/${file}`,
  }));
}

/**
 * @param {string} address
 * @param {string} problem what to say if it cannot be had
 * @returns {Promise<Response>}
 */
export async function fetched(address, problem) {
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) throw new Refused(problem, "Check that you are online, then try again or reload the page.");
  return answer;
}
