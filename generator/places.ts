/** US metropolitan areas with the Census Bureau's names and their population in thousands (about 2014, rounded). */
export interface Place {
  readonly name: string;
  readonly people: number;
}

const METROPOLITAN_AREAS = `
New York-Newark-Jersey City, NY-NJ-PA 20090; Los Angeles-Long Beach-Anaheim, CA 13260; Chicago-Naperville-Elgin, IL-IN-WI 9555
Dallas-Fort Worth-Arlington, TX 6954; Houston-The Woodlands-Sugar Land, TX 6490; Philadelphia-Camden-Wilmington, PA-NJ-DE-MD 6051
Washington-Arlington-Alexandria, DC-VA-MD-WV 6034; Miami-Fort Lauderdale-West Palm Beach, FL 5930
Atlanta-Sandy Springs-Roswell, GA 5614; Boston-Cambridge-Newton, MA-NH 4732; San Francisco-Oakland-Hayward, CA 4594
Phoenix-Mesa-Scottsdale, AZ 4489; Riverside-San Bernardino-Ontario, CA 4442; Detroit-Warren-Dearborn, MI 4297
Seattle-Tacoma-Bellevue, WA 3671; Minneapolis-St. Paul-Bloomington, MN-WI 3495; San Diego-Carlsbad, CA 3263
Tampa-St. Petersburg-Clearwater, FL 2916; St. Louis, MO-IL 2806; Baltimore-Columbia-Towson, MD 2786
Denver-Aurora-Lakewood, CO 2754; Charlotte-Concord-Gastonia, NC-SC 2380; Pittsburgh, PA 2356
Portland-Vancouver-Hillsboro, OR-WA 2348; San Antonio-New Braunfels, TX 2329; Orlando-Kissimmee-Sanford, FL 2321
Sacramento--Roseville--Arden-Arcade, CA 2244; Cincinnati, OH-KY-IN 2149; Kansas City, MO-KS 2071
Las Vegas-Henderson-Paradise, NV 2070; Cleveland-Elyria, OH 2064; Columbus, OH 1995; Indianapolis-Carmel-Anderson, IN 1971
San Jose-Sunnyvale-Santa Clara, CA 1953; Austin-Round Rock, TX 1943; Nashville-Davidson--Murfreesboro--Franklin, TN 1793
Virginia Beach-Norfolk-Newport News, VA-NC 1717; Providence-Warwick, RI-MA 1609; Milwaukee-Waukesha-West Allis, WI 1572
Jacksonville, FL 1419; Memphis, TN-MS-AR 1343; Oklahoma City, OK 1337; Louisville/Jefferson County, KY-IN 1270
Richmond, VA 1260; New Orleans-Metairie, LA 1252; Hartford-West Hartford-East Hartford, CT 1214; Raleigh, NC 1243
Salt Lake City, UT 1153; Birmingham-Hoover, AL 1144; Buffalo-Cheektowaga-Niagara Falls, NY 1136; Rochester, NY 1083
Grand Rapids-Wyoming, MI 1028; Tucson, AZ 1005; Urban Honolulu, HI 992; Tulsa, OK 969; Fresno, CA 966
Bridgeport-Stamford-Norwalk, CT 945; Worcester, MA-CT 930; Albuquerque, NM 904; Omaha-Council Bluffs, NE-IA 904
Albany-Schenectady-Troy, NY 880; Bakersfield, CA 875; Greenville-Anderson-Mauldin, SC 862; New Haven-Milford, CT 861
Knoxville, TN 858; Oxnard-Thousand Oaks-Ventura, CA 846; El Paso, TX 837; Allentown-Bethlehem-Easton, PA-NJ 830
McAllen-Edinburg-Mission, TX 831; Baton Rouge, LA 825; Dayton, OH 801; Columbia, SC 800; Greensboro-High Point, NC 746
North Port-Sarasota-Bradenton, FL 748; Little Rock-North Little Rock-Conway, AR 729; Charleston-North Charleston, SC 728
Stockton-Lodi, CA 716; Akron, OH 704; Cape Coral-Fort Myers, FL 680; Colorado Springs, CO 687; Boise City, ID 664
Syracuse, NY 661; Winston-Salem, NC 655; Lakeland-Winter Haven, FL 635; Wichita, KS 641; Ogden-Clearfield, UT 632
Madison, WI 634; Springfield, MA-CT 629; Des Moines-West Des Moines, IA 612; Toledo, OH 608; Deltona-Daytona Beach-Ormond Beach, FL 610
Augusta-Richmond County, GA-SC 584; Jackson, MS 578; Provo-Orem, UT 571; Scranton--Wilkes-Barre--Hazleton, PA 560
Harrisburg-Carlisle, PA 561; Palm Bay-Melbourne-Titusville, FL 557; Youngstown-Warren-Boardman, OH-PA 554
Chattanooga, TN-GA 545; Durham-Chapel Hill, NC 543; Spokane-Spokane Valley, WA 541; Lancaster, PA 533; Modesto, CA 532
Portland-South Portland, ME 524; Fayetteville-Springdale-Rogers, AR-MO 502; Santa Rosa, CA 500; Lexington-Fayette, KY 494
Lansing-East Lansing, MI 470; Lafayette, LA 485; Pensacola-Ferry Pass-Brent, FL 474; Visalia-Porterville, CA 458
Springfield, MO 452; Port St. Lucie, FL 445; Reno, NV 444; Asheville, NC 442; Huntsville, AL 441; Corpus Christi, TX 448
York-Hanover, PA 440; Fort Wayne, IN 427; Vallejo-Fairfield, CA 431; Killeen-Temple, TX 425; Myrtle Beach-Conway-North Myrtle Beach, SC-NC 418
Brownsville-Harlingen, TX 420; Mobile, AL 415; Reading, PA 414; Flint, MI 413; Salinas, CA 431; Santa Maria-Santa Barbara, CA 441
Manchester-Nashua, NH 405; Canton-Massillon, OH 404; Beaumont-Port Arthur, TX 405; Anchorage, AK 398; Salem, OR 404
Davenport-Moline-Rock Island, IA-IL 383; Peoria, IL 380; Shreveport-Bossier City, LA 445; Trenton, NJ 371; Montgomery, AL 373
Tallahassee, FL 376; Hickory-Lenoir-Morganton, NC 363; Eugene, OR 358; Ann Arbor, MI 357; Naples-Immokalee-Marco Island, FL 349
Rockford, IL 342; Kalamazoo-Portage, MI 333; Ocala, FL 339; Savannah, GA 373; Fort Collins, CO 324; South Bend-Mishawaka, IN-MI 319
Boulder, CO 313; Evansville, IN-KY 315; Green Bay, WI 315; Roanoke, VA 313; Lincoln, NE 319; Lubbock, TX 306; Duluth, MN-WI 280
Gainesville, FL 273; San Luis Obispo-Paso Robles-Arroyo Grande, CA 279; Cedar Rapids, IA 264; Olympia-Tumwater, WA 266
Sioux Falls, SD 248; Waco, TX 260; Amarillo, TX 260; Bellingham, WA 208; Fargo, ND-MN 228; Burlington-South Burlington, VT 216
Santa Fe, NM 148; Medford, OR 211; Tuscaloosa, AL 237; Topeka, KS 233; Barnstable Town, MA 215; Prescott, AZ 219
College Station-Bryan, TX 242; Athens-Clarke County, GA 199; Bloomington, IN 165; La Crosse-Onalaska, WI-MN 136
Charlottesville, VA 226; Billings, MT 167; Bend-Redmond, OR 170; Flagstaff, AZ 138; Rapid City, SD 143; Cheyenne, WY 96
Pueblo, CO 161; Bangor, ME 153; Ithaca, NY 105; Dubuque, IA 96; Missoula, MT 112; Casper, WY 81; Bismarck, ND 126; Ames, IA 94
London, KY 128; Sault Ste. Marie, MI 38; Watertown-Fort Drum, NY 119; Truckee-Grass Valley, CA 99; Key West, FL 77
`;

export const PLACES: readonly Place[] = METROPOLITAN_AREAS.trim()
  .split(/;|\n/)
  .map((entry) => {
    const text = entry.trim();
    const space = text.lastIndexOf(' ');
    return { name: text.slice(0, space), people: Number(text.slice(space + 1)) };
  });
