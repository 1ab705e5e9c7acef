/** German words that the rules of punctuation must not touch: the words of spaCy's list (explosion/spaCy, MIT licence). */

/** Abbreviations, their full stops a part of them. */
export const germanAbbreviations = `
  A.C. A.D. a.D. A.G. a.M. a.Z. Abb. Abk. Abs. Abt. abzgl. adv. al. allg. Apr. Aug. B.A. B.Sc. Bd. Betr. betr. Bf.
  Bhf. Biol. biol. Bsp. bspw. bzgl. bzw. c/o ca. CDU/CSU Chr. Cie. Co. co. D.C. d.h. Dez. dgl. Di. Dipl.
  Dipl.-Ing. Do. Dr. e.g. e.V. ebd. ehem. eigtl. engl. entspr. erm. etc. ev. evtl. Fa. Fam. Feb. Fr. Frl. frz.
  G.m.b.H. geb. Gebr. gegr. gem. ggf. ggfs. ggü. h.c. Hbf. Hg. Hr. Hrn. Hrsg. hrsg. I. i.A. i.d.R. i.e. i.G. i.O.
  i.Tr. i.V. II. III. Inc. incl. Ing. inkl. insb. IV. Jan. Jh. Jhd. Jr. jr. Jul. Jun. jun. jur. K.O. kath. L.A.
  lat. lt. M.A. m.E. m.M. M.Sc. max. Mi. min. mind. Mio. Mo. Mr. Mrd. Mrz. mtl. MwSt. Mär. n.Chr. N.Y. N.Y.C. nat.
  Nov. Nr. o.a. o.g. O.K. o.k. o.ä. Okt. Orig. orig. p.a. P.S. p.s. pers. phil. Pkt. Prof. q.e.d. R.I.P. Red. rer.
  röm. s.o. Sa. sen. Sep. Sept. So. sog. St. Std. std. stellv. Str. Tel. Tsd. tägl. u.a. U.S. U.S.A. U.S.S. u.s.w.
  u.U. u.v.m. Univ. usf. usw. uvm. v.a. v.Chr. v.l.n.r. vgl. vllt. vlt. Vol. vs. wiss. z.B. z.b. z.Bsp. z.T. z.Z.
  z.Zt. zzgl. österr.
`

/** Shortened words, and quotes of two characters. */
export const germanShortened = "'S 's S' s' 'n 'ne 'nen 'nem `` '' d' L'"

/** Two words in one: the second begins at the apostrophe. */
export const germanContractions = "auf'm du's er's hinter'm ich's ihr's sie's unter'm vor'm wir's über'm"
