/** Small questions to the file system that tools share. */

/** The promise's value, or undefined when what it wanted to touch is not there (ENOENT). */
export async function ignoreMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
