/** Common US given and family names, from which the names of users and of many artists are composed. */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const FEMALE_NAMES = words(`
Abigail Adriana Aisha Alana Alexandra Alice Alyssa Amelia Anna Aria Aubrey Audrey Ava Avery Bella Brianna Brooke Camila
Carmen Caroline Charlotte Chloe Clara Claire Daisy Daniela Delilah Diana Eleanor Elena Eliza Ella Ellie Emilia Emily Esther
Eva Evelyn Faith Fiona Freya Gabriela Gemma Georgia Grace Hailey Hannah Harper Hazel Heidi Iris Isabel Ivy Jada Jasmine
Jocelyn Josephine Julia June Kayla Kennedy Kiara Kylie Laila Lauren Layla Leah Lena Lila Lillian Lucia Lucy Luna Lydia
Mackenzie Madeline Maria Marley Maya Melody Mia Mila Molly Morgan Naomi Natalie Nora Olive Olivia Paige Penelope Piper
Quinn Rachel Rebecca Reese Riley Rosa Ruby Ruth Sadie Samantha Sara Savannah Selena Serenity Sienna Sofia Stella Summer
Sydney Taylor Tessa Valentina Vera Victoria Violet Willow Yara Zoe
`);

export const MALE_NAMES = words(`
Aaron Adam Adrian Aidan Alan Alejandro Alexander Andre Andrew Anthony Asher Austin Axel Benjamin Blake Brandon Brody Caleb
Cameron Carlos Carter Charles Christian Christopher Cole Colin Connor Cooper Damian Daniel David Declan Diego Dominic Dylan
Edward Eli Elias Elijah Emmanuel Eric Ethan Evan Ezra Felix Finn Gabriel Gavin George Grant Grayson Harrison Hayden Henry
Hudson Hugo Hunter Ian Isaac Isaiah Ivan Jack Jackson Jacob James Jasper Javier Jayden Jeremiah Jesse Joel John Jonah Jordan
Joseph Joshua Josiah Juan Julian Kaleb Kevin Kingston Landon Leo Leonardo Levi Liam Logan Lorenzo Louis Lucas Luis Luke
Malik Marcus Mason Mateo Matthew Max Micah Michael Miles Nathan Nicholas Noah Nolan Oliver Omar Oscar Owen Parker Patrick
Paul Peter Philip Preston Rafael Rhys Riley Robert Roman Ryan Samuel Santiago Sean Sebastian Silas Simon Spencer Theo Thomas
Timothy Tristan Tyler Victor Vincent Wesley William Wyatt Xavier Zachary
`);

export const FAMILY_NAMES = words(`
Adams Aguilar Alexander Allen Alvarez Anderson Andrews Armstrong Arnold Bailey Baker Barnes Bell Bennett Berry Black Boyd
Bradley Brooks Brown Bryant Burke Burns Butler Campbell Carpenter Carroll Carter Castillo Chavez Clark Cole Coleman Collins
Cook Cooper Cox Crawford Cruz Cunningham Daniels Davis Dean Diaz Dixon Duncan Dunn Edwards Elliott Ellis Evans Ferguson
Fernandez Fisher Flores Ford Foster Fox Franklin Freeman Garcia Gardner Gibson Gomez Gonzalez Gordon Graham Grant Gray Green
Griffin Gutierrez Hall Hamilton Hansen Harper Harris Harrison Hart Harvey Hawkins Hayes Henderson Henry Hernandez Hicks
Hill Holmes Howard Hudson Hughes Hunt Hunter Jackson Jacobs James Jenkins Jensen Johnson Johnston Jones Jordan Kelley Kelly
Kennedy Kim King Knight Lane Larson Lawrence Lee Lewis Long Lopez Marshall Martin Martinez Mason Matthews McCarthy McDonald
Medina Mendoza Meyer Miller Mills Mitchell Montgomery Moore Morales Moreno Morgan Morris Murphy Murray Myers Nelson Nguyen
Nichols O'Brien O'Connor Oliver Olson Ortiz Owens Palmer Park Parker Patel Patterson Payne Perez Perkins Perry Peters
Peterson Phillips Pierce Porter Powell Price Ramirez Ramos Reed Reyes Reynolds Rice Richards Richardson Riley Rivera Roberts
Robertson Robinson Rodriguez Rogers Romero Rose Ross Ruiz Russell Ryan Sanchez Sanders Schmidt Scott Shaw Silva Simmons
Simpson Sims Smith Snyder Spencer Stephens Stevens Stewart Stone Sullivan Taylor Thomas Thompson Torres Tucker Turner
Vargas Vasquez Wagner Walker Wallace Walsh Ward Warren Washington Watkins Watson Weaver Webb Wells West Wheeler White
Williams Williamson Willis Wilson Wong Wood Woods Wright Young Zimmerman
`);
