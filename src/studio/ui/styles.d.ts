/** Styles, which vite takes care of. */
declare module '*.css'
