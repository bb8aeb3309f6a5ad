// What is kept on this device, in IndexedDB; where the browser has none to give, for as long as the page is open.

const DATABASE = "visualneurons";
const SHELVES = { paintings: "id", artworks: "name" }; // and the key of what lies there

/** @type {Promise<IDBDatabase> | null} */
let opening = null;

/**
 * One shelf of the store. Nothing here fails: what the database does not take is kept in memory.
 * @template {Record<string, any>} Thing
 */
export class Shelf {
  /** @type {Map<string, Thing>} */
  #memory = new Map();

  /** @param {keyof typeof SHELVES} name */
  constructor(name) {
    this.name = name;
    this.key = SHELVES[name];
  }

  /**
   * Everything on it, in no order.
   * @returns {Promise<Thing[]>}
   */
  async all() {
    const kept = await this.#try("readonly", (store) => answer(store.getAll()));
    const newer = [...this.#memory.values()];
    return [...(kept ?? []).filter((/** @type {Thing} */ thing) => !this.#memory.has(thing[this.key])), ...newer];
  }

  /**
   * @param {string} key
   * @returns {Promise<Thing | undefined>}
   */
  async get(key) {
    return this.#memory.get(key) ?? (await this.#try("readonly", (store) => answer(store.get(key))));
  }

  /**
   * Keep a thing; answers when it is safe, with whether it will be there at the next visit.
   * @param {Thing} thing
   * @returns {Promise<boolean>}
   */
  async put(thing) {
    const key = await this.#try("readwrite", (store) => answer(store.put(thing)));
    if (key === undefined) this.#memory.set(thing[this.key], thing);
    else this.#memory.delete(thing[this.key]);
    return key !== undefined;
  }

  /**
   * Change some fields of a thing that is there, whoever else changes others.
   * @param {string} key
   * @param {Partial<Thing>} fields
   */
  async change(key, fields) {
    const inMemory = this.#memory.get(key);
    if (inMemory) {
      this.#memory.set(key, { ...inMemory, ...fields });
      return;
    }
    /** @type {Thing | undefined} */
    let changed;
    const done = await this.#try("readwrite", async (store) => {
      const thing = await answer(store.get(key));
      if (!thing) return true;
      changed = { ...thing, ...fields };
      await answer(store.put(changed));
      return true;
    });
    if (!done && changed) this.#memory.set(key, changed);
  }

  /** @param {string} key */
  async remove(key) {
    this.#memory.delete(key);
    await this.#try("readwrite", (store) => answer(store.delete(key)));
  }

  /**
   * What comes of `work` once its transaction is through; undefined if that failed.
   * @template Result
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => Promise<Result>} work
   * @returns {Promise<Result | undefined>}
   */
  async #try(mode, work) {
    try {
      const transaction = (await database()).transaction(this.name, mode, { durability: "strict" });
      const [result] = await Promise.all([work(transaction.objectStore(this.name)), end(transaction)]);
      return result;
    } catch (error) {
      // A full disk, a private window, a profile that is damaged: memory takes over, and the caller can say so.
      if (error instanceof DOMException) return undefined;
      throw error;
    }
  }
}

/** @returns {Promise<IDBDatabase>} */
function database() {
  opening ??= open();
  return opening;
}

async function open() {
  if (!globalThis.indexedDB) throw new DOMException("This browser has no IndexedDB.", "NotSupportedError");
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    for (const [name, keyPath] of Object.entries(SHELVES)) request.result.createObjectStore(name, { keyPath });
  };
  const base = await answer(request);
  // The browser may close it, and another version of this page may want to change it: then it is opened again.
  base.onclose = () => (opening = null);
  base.onversionchange = () => {
    base.close();
    opening = null;
  };
  return base;
}

/**
 * @template Result
 * @param {IDBRequest<Result>} request
 * @returns {Promise<Result>}
 */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
function end(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("The browser gave up.", "AbortError"));
  });
}
