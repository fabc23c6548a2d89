// @ts-check
/** @param {string} text Base64. @returns {Uint8Array<ArrayBuffer>} */
export const decodeBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
